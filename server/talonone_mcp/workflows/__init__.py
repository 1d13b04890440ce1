"""The workflows: what would take an agent several calls, done in one.

Each is an async function over the executor. `tools/workflows.yaml` says what clients see of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from talonone_mcp.calls.caller import Caller
from talonone_mcp.calls.executor import Executor
from talonone_mcp.core.catalog import Workflow
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
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
    workflow: Workflow,
    arguments: Mapping[str, Any],
    caller: Caller,
    executor: Executor,
    clock: Clock = SYSTEM_CLOCK,
) -> dict[str, Any]:
    """Run one workflow and return its answer.

    Raises:
        CallError: it could not do what it is for. What it could not find out beside that is said
            in `missing`.
        QuestionOpenError: a person has to confirm its plan first.
    """
    async with executor.begun(workflow, arguments, caller) as entry:
        steps = Steps(workflow, arguments, executor, caller, entry, clock)
        answer = await WORKFLOWS[workflow.name](steps, arguments)
        return {**answer, "missing": steps.missing} if steps.missing else answer
