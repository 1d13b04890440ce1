"""`set_up_campaign`: a campaign from a template or as a copy, a plan that a person confirms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from talonone_mcp.workflows.campaign.set_up_campaign.campaign_plan import make_plan
from talonone_mcp.workflows.campaign.set_up_campaign.plan_execution import Run, carry_out
from talonone_mcp.workflows.steps import Plan, Steps

_SHOWN = ("id", "name", "applicationId", "frontendState", "startTime", "endTime", "tags", "budgets")
_ENABLE = (
    "The campaign is disabled: customers get nothing from it before update_campaign enables it."
)
_IN_BACKGROUND = "The coupons are created in the background; list_coupons shows those there are."


async def set_up_campaign(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Set up a campaign, once a person has agreed to the plan; with dryRun, return the plan alone.

    Raises:
        CallError: there is nothing to agree to, nobody agreed, or a step failed. Of a step that
            failed, the details say what became of every step, and the hint how to undo them.
    """
    make = partial(make_plan, steps, arguments)
    if arguments.get("dryRun"):
        return {"dryRun": True, "plan": (await make()).shown}
    async with steps.agreed(make) as plan:
        return _answer(plan, await carry_out(steps, plan))


def _answer(plan: Plan, done: Run) -> dict[str, Any]:
    results = [
        {"operation": call.operation, "result": result}
        for call, result in zip(plan.calls, done.results, strict=True)
    ]
    notes = [
        *([_ENABLE] if done.campaign.get("state") == "disabled" else []),
        *([_IN_BACKGROUND] if "batchId" in done.coupons else []),
        *plan.shown.get("warnings", ()),
    ]
    answer = {
        "campaign": {key: done.campaign[key] for key in _SHOWN if key in done.campaign},
        "coupons": dict(done.coupons),
        "steps": results,
        "notes": notes,
    }
    return {key: part for key, part in answer.items() if part}
