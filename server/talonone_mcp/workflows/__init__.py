"""The workflows: what takes an agent several calls, done in one.

Each is a plain async function over the executor, in a module of its own; `tools/workflows.yaml`
says what clients are shown of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from talonone_mcp.calls.executor import Executor
from talonone_mcp.calls.gate import Caller
from talonone_mcp.core.catalog import Workflow
from talonone_mcp.workflows.campaign.campaign_report import campaign_report
from talonone_mcp.workflows.campaign.set_up_campaign import set_up_campaign
from talonone_mcp.workflows.coupon.check_coupon import check_coupon
from talonone_mcp.workflows.coupon.issue_coupon import issue_coupon
from talonone_mcp.workflows.customer.find_customer import find_customer
from talonone_mcp.workflows.customer.investigate_customer import investigate_customer
from talonone_mcp.workflows.steps import Steps

WORKFLOWS: Mapping[str, Callable[[Steps, Mapping[str, Any]], Awaitable[dict[str, Any]]]] = {
    "check_coupon": check_coupon,
    "find_customer": find_customer,
    "investigate_customer": investigate_customer,
    "issue_coupon": issue_coupon,
    "campaign_report": campaign_report,
    "set_up_campaign": set_up_campaign,
}


async def run(
    workflow: Workflow, arguments: Mapping[str, Any], caller: Caller, executor: Executor
) -> dict[str, Any]:
    """Run one workflow and return its answer.

    Raises:
        CallError: it could not do what it is for. What it could not find out beside that is said
            in `missing`.
    """
    async with executor.begun(workflow, arguments, caller) as record:
        steps = Steps(workflow, arguments, executor, caller, record)
        answer = await WORKFLOWS[workflow.name](steps, arguments)
        return {**answer, "missing": steps.missing} if steps.missing else answer
