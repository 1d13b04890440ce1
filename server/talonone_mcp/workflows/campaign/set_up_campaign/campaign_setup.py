"""The steps of set_up_campaign: have the plan confirmed, carry it out, and report each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from talonone_mcp.calls.plan import Plan, PlannedCall
from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.answer_format import filled, picked
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_plan import KEPT, make_plan
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_source import SetUpRequest
from talonone_mcp.workflows.steps import Steps
from talonone_mcp.workflows.upstream_times import moment
from talonone_mcp.workflows.upstream_types import Campaign

_SHOWN = ("id", "name", "applicationId", "frontendState", "startTime", "endTime", "tags", "budgets")
_ENABLE = (
    "The campaign is disabled: customers get nothing from it until update_campaign enables it."
)
_IN_BACKGROUND = "The coupons are created in the background; list_coupons shows them."
_CREATING = ("create_campaign_from_template", "copy_campaign")
_SETTINGS = ("name", "tags", "features", "state")
_DATES = ("startTime", "endTime")
_UNSURE = ("outcome_unknown", "upstream", "timeout")  # the step may have been done all the same


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan has come: the campaign as last seen, its coupons, and each step's result."""

    campaign: Campaign = field(default_factory=Campaign)
    coupons: Mapping[str, Any] = field(default_factory=dict)
    results: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """The campaign's state as people see it."""
        return self.campaign.get("frontendState") or self.campaign.get("state", "unknown")

    def after(self, result: str) -> Progress:
        """Return this, with the result of one more step."""
        return replace(self, results=(*self.results, result))


async def set_up_campaign(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Set up a campaign once a person has agreed to the plan; with dryRun, only return the plan.

    Raises:
        CallError: there is nothing to agree to, nobody agreed, or a step failed. If a step failed,
            the details say what became of every step, and the hint how to undo them.
    """
    make = partial(make_plan, steps, cast("SetUpRequest", arguments))
    if arguments.get("dryRun"):
        return {"dryRun": True, "plan": (await make()).shown}
    async with steps.agreed(make) as (plan, agreed):
        return _answer(plan, await _carried_out(agreed, plan))


def _answer(plan: Plan, done: Progress) -> dict[str, Any]:
    results = [
        {"operation": call.operation, "result": result}
        for call, result in zip(plan.calls, done.results, strict=True)
    ]
    notes = [
        *([_ENABLE] if done.campaign.get("state") == "disabled" else []),
        *([_IN_BACKGROUND] if "batchId" in done.coupons else []),
        *plan.shown.get("warnings", ()),
    ]
    return filled({
        "campaign": picked(done.campaign, _SHOWN),
        "coupons": dict(done.coupons),
        "steps": results,
        "notes": notes,
    })  # fmt: skip


# --- The steps, one by one -------------------------------------------------------------------


async def _carried_out(steps: Steps, plan: Plan) -> Progress:
    """Make the calls of a plan, in order, until one fails.

    Raises:
        CallError: of the call that failed, with what became of every step in its details.
    """
    done = Progress()
    for call in plan.calls:
        try:
            done = await _step(steps, call, done)
        except CallError as error:
            raise _failed(error, plan.calls, done) from error
    return done


async def _step(steps: Steps, call: PlannedCall, done: Progress) -> Progress:
    """Make one call, unless it would change nothing, and return how far the plan has come."""
    if call.operation == "update_campaign" and _is_so(done.campaign, call.arguments):
        return done.after(f"needed nothing: it is {done.state}")
    answer = await steps.call(call.operation, **call.arguments, **_opened(call, done.campaign))
    if call.operation in _CREATING:
        done = replace(done, campaign=_created(answer))
        return done.after(f"campaign {done.campaign['id']} created, {done.state}")
    if call.operation == "update_campaign":
        done = replace(done, campaign=cast("Campaign", answer))
        return done.after(f"settings set, {done.state}")
    coupons = _coupons(call, answer)
    done = replace(done, coupons=coupons)
    if "batchId" in coupons:
        return done.after(f"job for {coupons['count']} coupons started, batch {coupons['batchId']}")
    return done.after(f"{coupons['count']} coupons created")


def _opened(call: PlannedCall, campaign: Campaign) -> dict[str, Any]:
    """Return a call's open arguments, as the campaign has them."""
    known = {**picked(campaign, KEPT), "campaignId": campaign.get("id")}
    return {name: value for name, value in known.items() if name in call.open}


def _created(answer: Mapping[str, Any]) -> Campaign:
    """Return the campaign that was created.

    Raises:
        CallError: `outcome_unknown` if upstream does not show it.
    """
    listed: Sequence[Campaign] = answer.get("data") or ()
    campaign: Campaign = answer.get("campaign") or next(iter(listed), Campaign())
    if "id" not in campaign:
        raise CallError(
            "outcome_unknown",
            "Talon.One reported success but returned no campaign.",
            hint="It may have been created. Check with list_campaigns before you call again.",
        )
    return campaign


def _coupons(call: PlannedCall, answer: Mapping[str, Any]) -> dict[str, Any]:
    codes = [each.get("value", "unknown") for each in answer.get("data") or ()]
    batch = {"batchId": answer["batchId"]} if "batchId" in answer else {}
    count = call.arguments["numberOfCoupons"]
    return {"count": count, **({"codes": codes} if codes else {}), **batch}


# --- Whether a call would change any settings --------------------------------------------------


def _is_so(campaign: Campaign, wanted: Mapping[str, Any]) -> bool:
    """Tell whether a campaign already has the settings that a call would give it."""
    current: Mapping[str, Any] = campaign
    return (
        all(_comparable(current.get(name)) == _comparable(wanted.get(name)) for name in _SETTINGS)
        and all(moment(current.get(name)) == moment(wanted.get(name)) for name in _DATES)
        and _limits(current) == _limits(wanted)
        and wanted.get("description") in (None, current.get("description", ""))
    )


def _comparable(value: Any) -> Any:
    """Return a setting so that neither the order of a list nor its absence makes a difference."""
    return sorted(value) if isinstance(value, list) else value or []


def _limits(document: Mapping[str, Any]) -> list[tuple[str, str, float, list[str]]]:
    return sorted(
        (each["action"], each.get("period", ""), each["limit"], sorted(each.get("entities", ())))
        for each in document.get("limits", ())
    )


# --- When a step fails -------------------------------------------------------------------------


def _failed(error: CallError, calls: Sequence[PlannedCall], done: Progress) -> CallError:
    """Return the error of a step as that of the whole plan, with what was done before it."""
    number = len(done.results)
    results = [f"done: {result}" for result in done.results]
    results += [f"failed: {error.kind}", *["not done"] * (len(calls) - number - 1)]
    details = [
        {"at": f"step {place}, {call.operation}", "problem": result}
        for place, (call, result) in enumerate(zip(calls, results, strict=True), 1)
    ]
    return CallError(
        error.kind,
        f"Step {number + 1} of {len(calls)}, {calls[number].operation}, failed: {error.message}",
        status=error.status,
        details=[*details, *error.details],
        hint=" ".join(_hints(error, done)),
        approval=error.approval,
    )


def _hints(error: CallError, done: Progress) -> Iterator[str]:
    """Yield what to do: check whether the step was done, then finish the plan or undo it."""
    is_sure = error.kind not in _UNSURE
    if is_sure and not done.campaign:
        yield "Nothing was set up."
    if error.hint and not (is_sure and done.campaign):
        yield error.hint
    if done.campaign:
        yield _undoing(done)


def _undoing(done: Progress) -> str:
    campaign = done.campaign
    at = f"applicationId {campaign.get('applicationId')}, campaignId {campaign['id']}"
    return (
        f"The campaign exists, and is {done.state} ({at}). Do not repeat this call: it would make"
        " another one. Tell your user, check with get_campaign, and then either do the remaining"
        f" steps one by one, or delete it with delete_campaign ({at}), which a person confirms."
    )
