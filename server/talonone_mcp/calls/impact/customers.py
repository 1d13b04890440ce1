"""What a call does to customers' profiles, audiences and loyalty cards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.calls.impact.call_facts import CallFacts, Measured, is_empty, number
from talonone_mcp.calls.upstream_lists import count_listed

_CONSENT = re.compile(r"consent|opt.?in|newsletter|marketing|subscri|gdpr", re.IGNORECASE)


def deleted_memberships(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many memberships of audiences a call ends."""
    if count := _memberships(facts, "delete", "deletes"):
        yield Measured(count, "of audiences")


def added_memberships(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many memberships of audiences a call begins."""
    if count := _memberships(facts, "add", "adds"):
        yield Measured(count, "of audiences")


def _memberships(facts: CallFacts, action: str, changes: str) -> int:
    of_many = [each for each in facts.given("data") or () if each.get("action") == action]
    of_one = (facts.given("audiencesChanges") or {}).get(changes) or ()
    return len(of_many) + len(of_one)


def listed_before(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many things upstream lists there."""
    count = count_listed(facts.before)
    if count != 0:
        yield Measured(count)


def blanked_attributes(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many attributes of customers a call blanks, or which consents it withdraws."""
    profiles = facts.given("customerProfiles")
    if profiles is not None:
        blank = [name for each in profiles for name in _blanked(each.get("attributes"))]
    else:
        blank = _blanked(facts.given("attributes"))
        blank = blank and [name for name in blank if _has_value(facts, name)]
    if blank:
        yield Measured(len(blank), "of customers' profiles")


def _blanked(attributes: Any) -> list[str]:
    given = attributes if isinstance(attributes, Mapping) else {}
    return [
        name
        for name, value in given.items()
        if is_empty(value) or (value is False and _CONSENT.search(name))
    ]


def _has_value(facts: CallFacts, name: str) -> bool:
    """Tell whether the customer has the attribute, or may have it."""
    before = facts.before
    if not isinstance(before, Mapping):
        return True
    profile = before.get("profile") or {}
    value = (profile.get("attributes") or {}).get(name)
    return not is_empty(value) and value is not False


# --- Loyalty cards ------------------------------------------------------------------------------


def activated_card(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a card begins to work again."""
    if facts.given("status") == "active" and facts.move("status"):
        yield Measured(1, "can be used again, with its points")


def deactivated_card(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a card stops working."""
    if facts.given("status") != "active" and facts.move("status"):
        yield Measured(1, "cannot be used until it is activated again")


def points_of_card(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many points a customer gets with a card that they are linked to."""
    before = facts.before
    if not isinstance(before, Mapping):
        yield Measured(None, "on the card")
        return
    ledgers = [before.get("ledger") or {}, *(before.get("subledgers") or {}).values()]
    points = sum(
        number(each.get(name)) or 0
        for each in ledgers
        if isinstance(each, Mapping)
        for name in ("currentBalance", "pendingBalance")
    )
    if points:
        yield Measured(points, "on the card")


def shared_card(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a card that others are linked to gets one more owner."""
    before = facts.before
    profiles = before.get("profiles") if isinstance(before, Mapping) else None
    if profiles:
        yield Measured(1, f"that {len(profiles)} other customers share from now on")
