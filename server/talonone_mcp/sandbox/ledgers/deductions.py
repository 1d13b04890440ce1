"""Points taken from ledgers: spent, deducted and owed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from talonone_mcp.sandbox.documents.conditions import Condition, column, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.daily_figures import book_course, book_figures
from talonone_mcp.sandbox.ledgers.ledger import new_entry, open_ledger, program_by_id
from talonone_mcp.sandbox.ledgers.points import (
    LEFT,
    PointsCause,
    PointsHolder,
    available,
    held_by,
    in_phase,
    rounded,
)
from talonone_mcp.sandbox.ledgers.tiers import renew

_BATCH = 100  # additions read at once when points are spent


def deduct_points(  # noqa: PLR0913
    call: SandboxCall,
    holder: PointsHolder,
    points: float,
    *,
    subledger: str = "",
    cause: PointsCause = PointsCause(),  # noqa: B008 - it is frozen
    beyond: bool = False,
) -> Document:
    """Take active points from a ledger, those that expire first.

    Args:
        call: the request.
        holder: whose they are.
        points: how many.
        subledger: the ledger's name; the main one has none.
        cause: why.
        beyond: whether the balance may become negative.

    Returns:
        The entry, a subtraction.

    Raises:
        RefusalError: 400, when there are not enough active points.
    """
    program = program_by_id(call.store, holder)
    settle(call.store, program, holder, subledger, call.now)
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
    """Take points from given additions, then from active ones; owe the rest.

    Args:
        call: the request.
        holder: whose they are.
        points: how many.
        subledger: the ledger's name.
        cause: why.
        first: additions to use before others.

    Returns:
        The entry, a subtraction.
    """
    program = program_by_id(call.store, holder)
    entry = new_entry(call, holder, "subtraction", points, cause) | {"subledgerId": subledger}
    debit = _debit(call, program, entry)
    lots = chain(first, _usable(call.store, holder, subledger, call.now))
    missing = _use(call, program, lots, debit, points)
    if missing:
        debit |= {"owed": missing, "flags": {"createsNegativeBalance": True}}
        open_ledger(call, holder, subledger)
        book_figures(call.store, program, call.now, {"negative": missing}, subledger)
        call.store.replace("loyalty_entries", debit)
    renew(call.store, program, holder, subledger, call.now)
    return debit


def _debit(call: SandboxCall, program: Document, entry: Document) -> Document:
    """Store a subtraction that has not used any addition yet."""
    source = "rules" if entry["origin"] == "session" else "manual"
    spent = {f"spent {source}": entry["amount"]}
    book_figures(call.store, program, call.now, spent, entry["subledgerId"])
    return call.store.add("loyalty_entries", entry, label=entry["transactionUUID"])


def _usable(
    store: DocumentStore, holder: PointsHolder, subledger: str, at: datetime
) -> Iterable[Document]:
    """Yield the active additions by expiry; used ones drop out between batches."""
    while found := store.select(
        "loyalty_entries", held_by(holder), equal("subledgerId", subledger), in_phase("active", at),
        LEFT, sort="expiryDate", limit=_BATCH,
    ):  # fmt: skip
        yield from found


def _use(
    call: SandboxCall, program: Document, lots: Iterable[Document], debit: Document, points: float
) -> float:
    """Use up additions in turn, and return how many points are missing."""
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
    book_figures(store, program, at, {"spent": part}, lot["subledgerId"])


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


def settle(
    store: DocumentStore, program: Document, holder: PointsHolder, subledger: str, now: datetime
) -> None:
    """Pay what is owed with points that have become active since."""
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
            book_figures(store, program, moment(at), {"negative": -part}, subledger)
            owed = rounded(owed - part)
        store.replace("loyalty_entries", debt | {"owed": owed})
