"""The tiers that customers are in, by their active points in a ledger.

Without an expiration policy a tier follows the points at once. With one, the tiers are advanced:
points raise a customer at once, but only the end of the tier's term takes the tier away. Nothing
runs in the background: each read replays what has happened since the last write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from talonone_mcp.sandbox.documents.conditions import Condition, column, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.durations import local, time_after, zone_of
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.ledgers.memberships import joined_at
from talonone_mcp.sandbox.ledgers.points import PointsHolder, available, held_by, holder_of, rounded

Tier = Document | None


def renew(
    store: DocumentStore, program: Document, holder: PointsHolder, subledger: str, now: datetime
) -> None:
    """Store the tier that a ledger's customer is in now."""
    if not program.get("tiers") or holder.customer is None:
        return
    ledger = store.find("loyalty_ledgers", json.dumps([program["id"], holder.key, subledger]))
    if ledger is None:
        return
    assign(
        store, ledger, _at(store, program, ledger, tier_of(store, program, ledger, now), now), now
    )


def assign(store: DocumentStore, ledger: Document, tier: Tier, now: datetime) -> None:
    """Store a tier in a ledger, as of now."""
    kept = {key: value for key, value in ledger.items() if key != "tier"}
    looked = {"tierAsOf": stamp(now)} | ({"tier": tier} if tier else {})
    store.replace("loyalty_ledgers", kept | looked)


def tier_of(store: DocumentStore, program: Document, ledger: Document, now: datetime) -> Tier:
    """Return the tier that a ledger's customer is in."""
    tier: Tier = ledger.get("tier")
    if not program.get("tiers"):
        return None
    if not is_advanced(program):
        return _at(store, program, ledger, tier, now)
    for time in _turns(store, ledger, now):
        tier = _at(store, program, ledger, _by(store, program, ledger, tier, time), time)
    return _by(store, program, ledger, tier, now)


def _by(
    store: DocumentStore, program: Document, ledger: Document, tier: Tier, time: datetime
) -> Tier:
    """Return a tier after all terms that ended by a time."""
    while tier and tier.get("expiryDate", "9999") <= stamp(time):
        tier = _after_term(store, program, ledger, tier)
    return tier


def tier_shown(program: Document, tier: Tier) -> Document:
    """Return a tier as balances show it, its dates in the program's time zone; {} without one."""
    if tier is None:
        return {}
    zone = zone_of(program["timezone"])
    dates = {key: local(moment(tier[key]), zone).isoformat()
             for key in ("startDate", "expiryDate") if key in tier}  # fmt: skip
    return {"currentTier": tier | dates}


def _turns(store: DocumentStore, ledger: Document, now: datetime) -> Iterator[datetime]:
    """Yield the times since the last look when points became active."""
    since = ledger.get("tierAsOf", ledger["created"])
    became_active = Condition(
        f"{column('from')} > ? AND {column('from')} <= ?", (since, stamp(now))
    )
    ledger_name = equal("subledgerId", ledger["subledgerId"])
    found = store.select(
        "loyalty_entries", held_by(holder_of(ledger)), ledger_name, became_active, sort="from"
    )
    yield from (moment(entry["from"]) for entry in found)


def _at(
    store: DocumentStore, program: Document, ledger: Document, tier: Tier, time: datetime
) -> Tier:
    """Return the tier that the points at a time lead to."""
    points = available(store, holder_of(ledger), time, ledger["subledgerId"])
    earned = tier_for(program, points)
    if tier is None or earned is None:
        stays = tier is not None and is_advanced(program)
        return tier if stays else entered(store, program, ledger, earned, time)
    if earned["id"] == tier["id"]:
        return tier
    is_higher = earned["minPoints"] > _least(program, tier)
    if is_higher or not is_advanced(program):
        return entered(store, program, ledger, earned, time)
    return tier


def is_advanced(program: Document) -> bool:
    """Return whether tiers of a program have a term."""
    return "tiersExpirationPolicy" in program


def tier_for(program: Document, points: float) -> Tier:
    """Return the highest tier that points reach."""
    reached = [tier for tier in program["tiers"] if tier["minPoints"] <= points]
    return max(reached, key=lambda tier: float(tier["minPoints"]), default=None)


def next_tier(program: Document, tier: Tier) -> Tier:
    """Return the lowest tier above one; None when there is none."""
    least = -1.0 if tier is None else _least(program, tier)
    above = [each for each in program["tiers"] if each["minPoints"] > least]
    return min(above, key=lambda each: float(each["minPoints"]), default=None)


def _least(program: Document, tier: Document) -> float:
    return next((each["minPoints"] for each in program["tiers"] if each["id"] == tier["id"]), 0.0)


def entered(
    store: DocumentStore, program: Document, ledger: Document, tier: Tier, time: datetime
) -> Tier:
    """Return a tier as stored for a customer who enters it at a time."""
    if tier is None:
        return None
    shown = {"id": tier["id"], "name": tier["name"], "startDate": stamp(time)}
    expiry = _term_end(store, program, ledger, time)
    if expiry:
        shown |= {"expiryDate": expiry, "downgradePolicy": program["tiersDowngradePolicy"]}
    return shown


def _term_end(
    store: DocumentStore, program: Document, ledger: Document, time: datetime
) -> str | None:
    """Return when the term of a tier that is entered at a time ends.

    Source: https://docs.talon.one/management-api: LoyaltyProgram, tiersExpirationPolicy
    """
    policy, zone = program.get("tiersExpirationPolicy"), zone_of(program["timezone"])
    if policy == "absolute_expiration":
        begin = moment(program["tierCycleStartDate"])
    elif policy == "program_join_date":
        customer = str(holder_of(ledger).customer)
        begin = moment(joined_at(store, program, customer, time) or stamp(time))
    elif policy == "tier_start_date":
        begin = time
    else:  # none, or an attribute of the customer, which the sandbox's programs do not name
        return None
    while begin <= time:
        begin = time_after(program["tiersExpireIn"], begin, zone)
    return stamp(begin)


def _after_term(store: DocumentStore, program: Document, ledger: Document, tier: Document) -> Tier:
    """Return the tier that follows when the term of one has ended.

    Whoever has the points stays, for another term; the others go down as the program says.

    Source: https://docs.talon.one/management-api: LoyaltyProgram, tiersDowngradePolicy
    """
    end = moment(tier["expiryDate"])
    points = available(store, holder_of(ledger), end, ledger["subledgerId"])
    following = _downgraded(program, tier, points)
    if following is not None and following["id"] == tier["id"]:
        return tier | {"expiryDate": _term_end(store, program, ledger, end)}
    return entered(store, program, ledger, following, end)


def _downgraded(program: Document, tier: Document, points: float) -> Tier:
    """Return the tier of a program that points lead to at the end of a tier's term."""
    earned, least = tier_for(program, points), _least(program, tier)
    enough = earned is not None and earned["minPoints"] >= least
    if enough or program.get("tiersDowngradePolicy") != "one_down":
        return earned
    below = [each for each in program["tiers"] if each["minPoints"] < least]
    return max(below, key=lambda each: float(each["minPoints"]), default=None)


def way_up(program: Document, tier: Tier, points: float) -> Document:
    """Return the next tier's name and the missing points, as balances show them."""
    following = next_tier(program, tier)
    if following is None:
        return {}
    missing = max(rounded(following["minPoints"] - points), 0)
    return {"pointsToNextTier": missing, "nextTierName": following["name"]}


def projected(store: DocumentStore, program: Document, ledger: Document, tier: Tier) -> Document:
    """Return the tier after the current term, as balances show it; {} without a tier."""
    if tier is None or "expiryDate" not in tier:
        return {}
    end = moment(tier["expiryDate"])
    points = available(store, holder_of(ledger), end, ledger["subledgerId"])
    following = _downgraded(program, tier, points)
    outlook: Document = {"projectedActivePoints": points}
    if following:
        outlook["projectedTierName"] = following["name"]
    if points < (least := _least(program, tier)):
        outlook["stayInTierPoints"] = rounded(least - points)
    return {"projectedTier": outlook}
