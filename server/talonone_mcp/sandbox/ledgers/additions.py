"""Points added to ledgers, and what follows from them."""

from __future__ import annotations

from datetime import datetime

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.durations import is_duration, time_after, zone_of
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.daily_figures import book_course, book_figures
from talonone_mcp.sandbox.ledgers.deductions import settle
from talonone_mcp.sandbox.ledgers.ledger import new_entry, open_ledger, program_by_id
from talonone_mcp.sandbox.ledgers.memberships import join
from talonone_mcp.sandbox.ledgers.points import (
    IMMEDIATE,
    ON_ACTION,
    UNLIMITED,
    PointsCause,
    PointsHolder,
    holder_of,
)
from talonone_mcp.sandbox.ledgers.tiers import renew


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
    """Add points to a ledger, creating it with its first points.

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
    entry = new_entry(call, holder, "addition", points, cause)
    dates = _dates(program, pending, validity, call.now)
    whole = {"subledgerId": subledger, "left": entry["amount"]}
    return _entered(call, program, entry | whole | dates)


def _entered(call: SandboxCall, program: Document, addition: Document) -> Document:
    """Store an addition and its consequences."""
    holder, subledger = holder_of(addition), addition["subledgerId"]
    open_ledger(call, holder, subledger)
    entry = call.store.add("loyalty_entries", addition, label=addition["transactionUUID"])
    source = "rules" if entry["origin"] == "session" else "manual"
    book_figures(call.store, program, call.now, {f"earned {source}": entry["amount"]}, subledger)
    book_course(call.store, program, entry, entry["amount"], call.now)
    revived(call, program, holder, subledger)
    return call.store.get("loyalty_entries", entry["id"]) or entry


def revived(call: SandboxCall, program: Document, holder: PointsHolder, subledger: str) -> None:
    """Settle debts, and update membership and tier, when points are new or become active."""
    settle(call.store, program, holder, subledger, call.now)
    join(call.store, program, holder, call.now)
    renew(call.store, program, holder, subledger, call.now)


def _dates(program: Document, pending: str | None, validity: str | None, now: datetime) -> Document:
    """Return when points are active, both as shown and as compared."""
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
    """Return the end of a duration; a word or a time unchanged.

    Raises:
        RefusalError: 400 for the field, when it ends beyond the year 9999.
    """
    if not is_duration(text):
        return text
    try:
        return stamp(time_after(text, start, zone_of(program["timezone"])))
    except ValueError as error:
        raise RefusalError(400, str(error), pointer=f"/{field}") from None
