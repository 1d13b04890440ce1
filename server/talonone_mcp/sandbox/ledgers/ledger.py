"""The ledgers of loyalty programs: points come, go, become active and are rolled back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from talonone_mcp.sandbox.documents.conditions import Condition, column, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import USER_EMAIL, USER_ID
from talonone_mcp.sandbox.ground.durations import after, is_duration, zone_of
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.daily_figures import book, book_course
from talonone_mcp.sandbox.ledgers.memberships import join
from talonone_mcp.sandbox.ledgers.points import (
    IMMEDIATE,
    LEFT,
    ON_ACTION,
    UNLIMITED,
    PointsBalance,
    PointsCause,
    PointsHolder,
    available,
    balances_of,
    held_by,
    holder_of,
    in_phase,
    rounded,
)
from talonone_mcp.sandbox.ledgers.tiers import renew

_BATCH = 100  # additions that are looked at together when points are spent


def program_of(
    call: SandboxCall, *, cards: bool | None = None, argument: str = "loyaltyProgramId"
) -> Document:
    """Return the program that an argument names.

    Args:
        call: the request.
        cards: whether it must be card-based; None for either.
        argument: the argument that holds its id.

    Raises:
        RefusalError: 404, when there is none; 400, when it is of the other sort.
    """
    program = call.get("loyalty_programs", argument)
    if call.application_id not in (None, *program["subscribedApplications"]):
        raise RefusalError(
            404,
            f"loyalty program {program['id']} is not connected to this application",
            resource="loyaltyProgram",
        )
    if cards is not None and program["cardBased"] is not cards:
        sort = "card-based" if cards else "profile-based"
        raise RefusalError(400, f"the loyalty program is not {sort}", parameter=argument)
    return program


def program_by_id(store: DocumentStore, holder: PointsHolder) -> Document:
    """Return the program of a holder; there is one."""
    program = store.get("loyalty_programs", holder.program_id)
    if program is None:
        raise RefusalError(
            404, f"loyalty program {holder.program_id} does not exist", resource="loyaltyProgram"
        )
    return program


def ledger_of(
    store: DocumentStore, holder: PointsHolder, at: datetime
) -> tuple[Document, dict[str, Document]]:
    """Return a holder's main ledger and subledgers, as answers about cards show them."""
    found = balances_of(store, holder, at)
    ledgers = {name: ledger_balance(balance) for name, balance in found.items()}
    return ledgers.pop("", ledger_balance(PointsBalance())), ledgers


def ledger_balance(balance: PointsBalance) -> Document:
    """Return a balance as answers about sessions show it; outside one, nothing is tentative.

    What was spent and has expired is always 0 in them.

    Source: https://docs.talon.one/integration-api: LoyaltyBalance
    """
    return {
        "currentBalance": balance.active,
        "pendingBalance": balance.pending,
        "negativeBalance": balance.negative,
        "expiredBalance": 0,
        "spentBalance": 0,
        "tentativeCurrentBalance": balance.active,
        "tentativePendingBalance": balance.pending,
        "tentativeNegativeBalance": balance.negative,
    }


# --- Adding --------------------------------------------------------------------------------


def add_points(  # noqa: PLR0913 - what upstream lets one say of points
    call: SandboxCall,
    holder: PointsHolder,
    points: float,
    *,
    subledger: str = "",
    pending: str | None = None,
    validity: str | None = None,
    cause: PointsCause = PointsCause(),  # noqa: B008 - it is frozen
) -> Document:
    """Add points to a ledger, which comes into being with its first points.

    Args:
        call: the request.
        holder: whose they are.
        points: how many.
        subledger: the ledger's name; the main one has none.
        pending: immediate, on_action, a duration or a time, from when on they are active; None for
            what the program says.
        validity: unlimited, a duration from then on, or a time, when they expire; None for what the
            program says.
        cause: why.

    Returns:
        The entry, an addition.

    Raises:
        RefusalError: 400, when the program has no subledgers, or the points would expire before
            they are active.
    """
    program = program_by_id(call.store, holder)
    if subledger and not program["allowSubledger"]:
        raise RefusalError(400, "the program has no subledgers", pointer="/subledgerId")
    entry = _entry(call, holder, "addition", points, cause)
    dates = _dates(program, pending, validity, call.now)
    whole = {"subledgerId": subledger, "left": entry["amount"]}
    return _entered(call, program, entry | whole | dates)


def _entered(call: SandboxCall, program: Document, addition: Document) -> Document:
    """Store an addition, with all that follows from it."""
    holder, subledger = holder_of(addition), addition["subledgerId"]
    open_ledger(call, holder, subledger)
    entry = call.store.add("loyalty_entries", addition, label=addition["transactionUUID"])
    source = "rules" if entry["origin"] == "session" else "manual"
    book(call.store, program, call.now, {f"earned {source}": entry["amount"]}, subledger)
    book_course(call.store, program, entry, entry["amount"], call.now)
    revived(call, program, holder, subledger)
    return call.store.get("loyalty_entries", entry["id"]) or entry


def revived(call: SandboxCall, program: Document, holder: PointsHolder, subledger: str) -> None:
    """Draw the consequences of points that are new, or newly active."""
    _settle(call.store, program, holder, subledger, call.now)
    join(call.store, program, holder, call.now)
    renew(call.store, program, holder, subledger, call.now)


def _entry(
    call: SandboxCall, holder: PointsHolder, kind: str, points: float, cause: PointsCause
) -> Document:
    """Return a new entry: all that additions and subtractions have in common."""
    entry = {
        "transactionUUID": str(UUID(int=call.random.getrandbits(128), version=4)),
        "created": stamp(call.now),
        "type": kind,
        "amount": rounded(points),
        "startDate": IMMEDIATE,
        "expiryDate": UNLIMITED,
        **cause.fields,
        **holder.names,
    }
    if call.operation.api == "management" and cause.origin != "session":
        entry["userId"] = call.user_id
        if call.user_id == USER_ID:
            entry["userEmail"] = USER_EMAIL
    return entry


def _dates(program: Document, pending: str | None, validity: str | None, now: datetime) -> Document:
    """Return from when to when points are active, for reading and for comparing."""
    pending, validity = pending or program["defaultPending"], validity or program["defaultValidity"]
    start = end_of(program, pending, now, "pendingDuration")
    if start == ON_ACTION:
        waiting = {"startDate": ON_ACTION, "from": ON_ACTION}
        if is_duration(validity):  # counts from the action
            end_of(program, validity, now, "validityDuration")
            return waiting | {"expiryDate": UNLIMITED, "validityDuration": validity}
        return waiting | {"expiryDate": validity}
    active_from = now if start == IMMEDIATE else moment(start)
    expiry = end_of(program, validity, max(active_from, now), "validityDuration")
    if active_from > now and expiry <= start:
        raise RefusalError(400, "the points would expire before they are active",
                            pointer="/validUntil")  # fmt: skip
    return {"startDate": start, "from": stamp(active_from), "expiryDate": expiry}


def end_of(program: Document, text: str, start: datetime, field: str) -> str:
    """Return the time that a duration ends at; a word or a time as it is.

    Raises:
        RefusalError: 400 for the field, when it ends beyond the year 9999.
    """
    if not is_duration(text):
        return text
    try:
        return stamp(after(text, start, zone_of(program["timezone"])))
    except ValueError as error:
        raise RefusalError(400, str(error), pointer=f"/{field}") from None


def open_ledger(call: SandboxCall, holder: PointsHolder, subledger: str) -> Document:
    """Return a ledger, which is made unless it is there."""
    label = ledger_label(holder, subledger)
    known = call.store.find("loyalty_ledgers", label)
    if known is not None:
        return known
    ledger = holder.names | {"subledgerId": subledger, "created": stamp(call.now)}
    return call.store.add("loyalty_ledgers", ledger, parent=holder.program_id, label=label)


def ledger_label(holder: PointsHolder, subledger: str) -> str:
    """Return what a ledger is found by."""
    return json.dumps([holder.program_id, holder.key, subledger])


# --- Taking --------------------------------------------------------------------------------


def deduct_points(  # noqa: PLR0913
    call: SandboxCall,
    holder: PointsHolder,
    points: float,
    *,
    subledger: str = "",
    cause: PointsCause = PointsCause(),  # noqa: B008 - it is frozen
    beyond: bool = False,
) -> Document:
    """Take active points from a ledger, those first that expire first.

    Args:
        call: the request.
        holder: whose they are.
        points: how many.
        subledger: the ledger's name; the main one has none.
        cause: why.
        beyond: whether more may be taken than there are, which makes the balance negative.

    Returns:
        The entry, a subtraction.

    Raises:
        RefusalError: 400, when there are not as many active points.
    """
    program = program_by_id(call.store, holder)
    _settle(call.store, program, holder, subledger, call.now)
    there = available(call.store, holder, call.now, subledger)
    if points > there and not beyond:
        raise RefusalError(
            400, f"there are {there} active points, not {rounded(points)}", pointer="/points"
        )
    return withdraw(call, holder, points, subledger=subledger, cause=cause)


def withdraw(  # noqa: PLR0913 - who takes what from where, and why
    call: SandboxCall,
    holder: PointsHolder,
    points: float,
    *,
    subledger: str,
    cause: PointsCause,
    first: Sequence[Document] = (),
) -> Document:
    """Take points from some additions, then from the active ones; the rest is owed.

    Args:
        call: the request.
        holder: whose they are.
        points: how many.
        subledger: the ledger's name.
        cause: why.
        first: the additions that are used before others.

    Returns:
        The entry, a subtraction.
    """
    program = program_by_id(call.store, holder)
    entry = _entry(call, holder, "subtraction", points, cause) | {"subledgerId": subledger}
    debit = _debit(call, program, entry)
    lots = chain(first, _usable(call.store, holder, subledger, call.now))
    missing = _use(call, program, lots, debit, points)
    if missing:
        debit |= {"owed": missing, "flags": {"createsNegativeBalance": True}}
        open_ledger(call, holder, subledger)
        book(call.store, program, call.now, {"negative": missing}, subledger)
        call.store.replace("loyalty_entries", debit)
    renew(call.store, program, holder, subledger, call.now)
    return debit


def _debit(call: SandboxCall, program: Document, entry: Document) -> Document:
    """Store a subtraction, which uses nothing yet."""
    source = "rules" if entry["origin"] == "session" else "manual"
    spent = {f"spent {source}": entry["amount"]}
    book(call.store, program, call.now, spent, entry["subledgerId"])
    return call.store.add("loyalty_entries", entry, label=entry["transactionUUID"])


def _usable(
    store: DocumentStore, holder: PointsHolder, subledger: str, at: datetime
) -> Iterable[Document]:
    """Yield the active additions, those first that expire first; used ones are gone by the next."""
    while found := store.select(
        "loyalty_entries", held_by(holder), equal("subledgerId", subledger), in_phase("active", at),
        LEFT, sort="expiryDate", limit=_BATCH,
    ):  # fmt: skip
        yield from found


def _use(
    call: SandboxCall, program: Document, lots: Iterable[Document], debit: Document, points: float
) -> float:
    """Use up additions, one after the other, and return how many points were missing."""
    missing = rounded(points)
    for lot in lots:
        part = min(lot["left"], missing)
        _use_one(call.store, program, lot, debit, part=part, at=call.now)
        missing = rounded(missing - part)
        if not missing:
            break
    return missing


def _use_one(  # noqa: PLR0913 - who uses what, how much of it, when
    store: DocumentStore,
    program: Document,
    lot: Document,
    debit: Document,
    *,
    part: float,
    at: datetime,
) -> None:
    store.replace("loyalty_entries", lot | {"left": rounded(lot["left"] - part)})
    store.add("loyalty_uses", use_of(lot, debit, part, stamp(at)), parent=lot["id"])
    book_course(store, program, lot, -part, at)
    book(store, program, at, {"spent": part}, lot["subledgerId"])


def use_of(lot: Document, debit: Document, part: float, at: str) -> Document:
    """Return the record of a subtraction's use of an addition."""
    kept = ("programId", "holder", "subledgerId", "from", "expiryDate")
    return {key: lot[key] for key in kept} | {
        "amount": part,
        "by": debit["id"],
        "at": at,
        "added": lot["created"],
        "debited": debit["created"],
    }


def _settle(
    store: DocumentStore, program: Document, holder: PointsHolder, subledger: str, now: datetime
) -> None:
    """Make up for what was deducted beyond all points, by points that were active since."""
    ledger = (held_by(holder), equal("subledgerId", subledger))
    was_active = Condition(f"{column('from')} <= ?", (stamp(now),))
    owing = Condition(f"{column('owed')} > 0")
    for debt in store.select("loyalty_entries", *ledger, owing):
        owed = debt["owed"]
        for lot in store.select("loyalty_entries", *ledger, was_active, LEFT, sort="from"):
            at = max(lot["from"], debt["created"])
            part = min(lot["left"], owed)
            if not part or at >= lot["expiryDate"]:
                continue
            _use_one(store, program, lot, debt, part=part, at=moment(at))
            book(store, program, moment(at), {"negative": -part}, subledger)
            owed = rounded(owed - part)
        store.replace("loyalty_entries", debt | {"owed": owed})
