"""What a change of a campaign does to customers: it stops, starts, or gives more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from talonone_mcp.calls.impact.budgets import LimitChange, limit_changes
from talonone_mcp.calls.impact.call_facts import (
    UNKNOWN,
    CallFacts,
    Measured,
    end_of,
    is_empty,
    number,
    start_of,
)

_RULES = {
    "activeRulesetId": "other rules apply",
    "evaluationGroupId": "it moves to another evaluation group",
    "type": "its type changes",
}


def campaign_stops(facts: CallFacts) -> Iterator[Measured]:
    """Tell why a campaign that works, or is due to, stops working in part or at all."""
    if reasons := [*_stops(facts)]:
        yield Measured(1, "; ".join(reasons))


def campaign_starts(facts: CallFacts) -> Iterator[Measured]:
    """Tell why a campaign begins to work, or works longer or in more places."""
    if reasons := [*_starts(facts)]:
        yield Measured(1, "; ".join(reasons))


def larger_budgets(facts: CallFacts) -> Iterator[Measured]:
    """Tell by how much a working campaign may give more than before."""
    if _works_then(facts):
        for each in _limit_changes(facts):
            if each.how == "grows":
                yield Measured(each.amount, each.what, each.unit)


def access_groups(facts: CallFacts) -> Iterator[Measured]:
    """Tell when other people get access to a campaign."""
    if facts.move("campaignGroups"):
        yield Measured(1, "other groups of users have access to the campaign")


def codes_of_campaign(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many codes a campaign has."""
    count = number(facts.old("couponCreationCount"))
    if count != 0:
        yield Measured(count, "of the campaign")


def linked_stores(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many stores a campaign is linked to."""
    old = facts.old("linkedStoreIds")
    yield Measured(len(old) if isinstance(old, list) else None, "that the campaign is linked to")


# --- Whether it works --------------------------------------------------------------------------


def _then(facts: CallFacts, name: str) -> Any:
    """Return a field of the campaign as it will be."""
    if facts.names(name):
        return facts.new(name)
    if facts.given("replace"):  # what is left out gets upstream's default
        return "enabled" if name == "state" else None
    return facts.old(name)


def _works_now(facts: CallFacts) -> bool:
    """Tell whether a campaign works or is due to; one that cannot be read may."""
    if facts.old("state") is UNKNOWN:
        return True
    return facts.old("state") == "enabled" and end_of(facts.old("endTime")) > facts.now


def _works_then(facts: CallFacts) -> bool:
    state, end = _then(facts, "state"), _then(facts, "endTime")
    is_over = end is not UNKNOWN and end_of(end) <= facts.now
    return state in ("enabled", UNKNOWN) and not is_over


# --- Why it stops or starts --------------------------------------------------------------------


def _stops(facts: CallFacts) -> Iterator[str]:
    if not _works_now(facts):
        return
    if not _works_then(facts):
        state = _then(facts, "state")
        is_over = "its end is in the past"
        yield is_over if state in ("enabled", UNKNOWN) else f"its state becomes {state}"
        return
    if facts.given("replace"):
        yield "what the call leaves out is lost"
    if facts.later("endTime") in ("earlier", "unknown"):
        yield "it ends earlier" if facts.later("endTime") == "earlier" else "its end changes"
    yield from _postponed(facts)
    yield from (words for name, words in _RULES.items() if facts.move(name))
    move = facts.move("features")
    if move and (not move.is_known or set(move.old or ()) - set(move.new or ())):
        yield "it loses features"
    move = facts.move("linkedStoreIds")
    if move and move.new and (not move.is_known or not move.old or {*move.old} - {*move.new}):
        yield "it stops working in all stores but those linked"
    closing = ("shrinks", "starts")
    yield from (each.what for each in _limit_changes(facts) if each.how in closing)


def _postponed(facts: CallFacts) -> Iterator[str]:
    move = facts.move("startTime")
    if not move:
        return
    start = start_of(move.new)
    was = start_of(move.old) if move.is_known else None
    if start > facts.now and (was is None or start > was):
        yield "it starts later"


def _starts(facts: CallFacts) -> Iterator[str]:
    if not _works_then(facts):
        return
    if not _works_now(facts) or (facts.old("state") is UNKNOWN and facts.names("state")):
        yield "customers can use it" if _is_due(facts) else "it starts at its time"
        return
    if facts.given("replace"):
        yield "without a state, upstream enables it"
    if facts.later("endTime") == "later":
        yield "it ends later, or never"
    move = facts.move("startTime")
    if move and move.is_known and start_of(move.old) > max(facts.now, start_of(move.new)):
        yield "it starts earlier"
    move = facts.move("linkedStoreIds")
    if move and move.is_known and move.old:
        if is_empty(move.new):
            yield "it works in all stores"
        elif {*move.new} - {*move.old}:
            yield "it works in more stores"
    opening = ("ends", "repeats")
    yield from (each.what for each in _limit_changes(facts) if each.how in opening)


def _is_due(facts: CallFacts) -> bool:
    start = _then(facts, "startTime")
    return start is UNKNOWN or start_of(start) <= facts.now


def _limit_changes(facts: CallFacts) -> list[LimitChange]:
    move = facts.move("limits")
    if not move:
        return []
    if not move.is_known:
        return [LimitChange("repeats", None, "uses", "its budgets change")]
    return [*limit_changes(move.old or (), move.new or ())]
