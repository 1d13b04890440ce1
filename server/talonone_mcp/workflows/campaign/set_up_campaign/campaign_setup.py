"""Carries out the plan of a new campaign, and says what was done of it, and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from talonone_mcp.calls.gate import Planned
from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_plan import KEPT
from talonone_mcp.workflows.obstacles import moment
from talonone_mcp.workflows.steps import Plan, Steps

_CREATING = ("create_campaign_from_template", "copy_campaign")
_SETTINGS = ("name", "tags", "features", "state")
_DATES = ("startTime", "endTime")
_UNSURE = ("outcome_unknown", "upstream", "timeout")  # the step may have been done all the same


@dataclass(slots=True)
class Run:
    """How far a plan has come: the campaign as last seen, its coupons, and what steps came to."""

    campaign: Mapping[str, Any] = field(default_factory=dict)
    coupons: Mapping[str, Any] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)


async def carry_out(steps: Steps, plan: Plan) -> Run:
    """Make the calls of a plan, in order, until one fails.

    Raises:
        CallError: of the call that failed, with what became of every step in its details.
    """
    done = Run()
    for call in plan.calls:
        try:
            done.results.append(await _made(steps, call, done))
        except CallError as error:
            raise _failed(error, plan.calls, done) from error
    return done


async def _made(steps: Steps, call: Planned, done: Run) -> str:
    """Make one call, unless it would change nothing, and return what came of it."""
    if call.operation == "update_campaign" and _is_so(done.campaign, call.arguments):
        return f"needed nothing: it is {_state(done)}"
    answer = await steps.call(call.operation, **call.arguments, **_opened(call, done.campaign))
    if call.operation in _CREATING:
        done.campaign = _created(answer)
        return f"campaign {done.campaign['id']} created, {_state(done)}"
    if call.operation == "update_campaign":
        done.campaign = answer
        return f"settings set, {_state(done)}"
    done.coupons = _coupons(call, answer)
    if "batchId" in done.coupons:
        return f"job for {done.coupons['count']} coupons started, batch {done.coupons['batchId']}"
    return f"{done.coupons['count']} coupons created"


def _opened(call: Planned, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's open arguments, as the campaign has them."""
    named = {name: campaign[name] for name in KEPT if name in campaign}
    known = {**named, "campaignId": campaign.get("id")}
    return {name: value for name, value in known.items() if name in call.open}


def _created(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the campaign that was created.

    Raises:
        CallError: `outcome_unknown`, when upstream does not show it.
    """
    listed: Sequence[Mapping[str, Any]] = answer.get("data") or ()
    campaign: Mapping[str, Any] = answer.get("campaign") or next(iter(listed), {})
    if "id" not in campaign:
        raise CallError(
            "outcome_unknown",
            "Talon.One reported success, and no campaign with it.",
            hint="It may have been created. Do not repeat this before list_campaigns has told.",
        )
    return campaign


def _coupons(call: Planned, answer: Mapping[str, Any]) -> dict[str, Any]:
    codes = [each.get("value", "unknown") for each in answer.get("data") or ()]
    batch = {"batchId": answer["batchId"]} if "batchId" in answer else {}
    count = call.arguments["numberOfCoupons"]
    return {"count": count, **({"codes": codes} if codes else {}), **batch}


# --- Whether settings are to be set at all -----------------------------------------------------


def _is_so(campaign: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether a campaign has the settings already that a call would give it."""
    return (
        all(_plain(campaign.get(name)) == _plain(wanted.get(name)) for name in _SETTINGS)
        and all(moment(campaign.get(name)) == moment(wanted.get(name)) for name in _DATES)
        and _limits(campaign) == _limits(wanted)
        and wanted.get("description") in (None, campaign.get("description", ""))
    )


def _plain(value: Any) -> Any:
    """Return a setting, of which order does not count, and an empty list is none."""
    return sorted(value) if isinstance(value, list) else value or []


def _limits(document: Mapping[str, Any]) -> list[tuple[str, str, float, list[str]]]:
    return sorted(
        (each["action"], each.get("period", ""), each["limit"], sorted(each.get("entities", ())))
        for each in document.get("limits", ())
    )


# --- When a step fails -------------------------------------------------------------------------


def _failed(error: CallError, calls: Sequence[Planned], done: Run) -> CallError:
    """Return the error of a step as that of the whole: nothing of what was done is lost."""
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


def _hints(error: CallError, done: Run) -> Iterator[str]:
    """Yield what to do: to look whether the step was done, and to go on, or back."""
    is_sure = error.kind not in _UNSURE
    if is_sure and not done.campaign:
        yield "Nothing was set up."
    if error.hint and not (is_sure and done.campaign):
        yield error.hint
    if done.campaign:
        yield _undoing(done)


def _undoing(done: Run) -> str:
    campaign = done.campaign
    at = f"applicationId {campaign.get('applicationId')}, campaignId {campaign['id']}"
    return (
        f"The campaign is there, {_state(done)} ({at}). Do not repeat this call: it would make"
        " another. Tell your user, and either make the steps that are left one by one, after"
        f" looking with get_campaign, or take it back with delete_campaign ({at}), which a person"
        " confirms."
    )


def _state(done: Run) -> str:
    return str(done.campaign.get("frontendState", done.campaign.get("state", "unknown")))
