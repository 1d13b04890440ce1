"""Changes of existing ledger entries: activated, moved and deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from talonone_mcp.sandbox.documents.conditions import Where, among
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.additions import end_of, revived
from talonone_mcp.sandbox.ledgers.daily_figures import book_course, book_figures
from talonone_mcp.sandbox.ledgers.ledger import ledger_label, program_by_id
from talonone_mcp.sandbox.ledgers.points import PointsHolder, held_by, holder_of, phase
from talonone_mcp.sandbox.ledgers.tiers import renew


def activate_entries(
    call: SandboxCall, program: Document, entries: Iterable[Document]
) -> list[Document]:
    """Activate the pending additions among entries, and return them.

    Their validity, where it is a duration, counts from now.

    Source: https://docs.talon.one/integration-api: activateLoyaltyPoints
    """
    active = []
    for entry in entries:
        if entry["type"] != "addition" or phase(entry, call.now) != "pending":
            continue
        book_course(call.store, program, entry, -entry["left"], call.now)
        dates = {"startDate": stamp(call.now), "from": stamp(call.now)}
        if "validityDuration" in entry:
            validity = entry["validityDuration"]
            dates["expiryDate"] = end_of(program, validity, call.now, "transactionUUIDs")
        changed = call.store.replace("loyalty_entries", entry | dates)
        book_course(call.store, program, changed, changed["left"], call.now)
        revived(call, program, holder_of(changed), changed["subledgerId"])
        active.append(changed)
    return active


def move_ledgers(store: DocumentStore, old: PointsHolder, new: PointsHolder) -> None:
    """Move all ledgers of one holder to another, who has none in this program."""
    for kind in ("loyalty_entries", "loyalty_uses", "loyalty_ledgers"):
        for document in store.select(kind, held_by(old)):
            names = new.names if kind != "loyalty_uses" else {"holder": new.key}
            store.replace(kind, document | names)
    for ledger in store.select("loyalty_ledgers", held_by(new)):
        store.relabel("loyalty_ledgers", ledger["id"], ledger_label(new, ledger["subledgerId"]))


def erase_entries(
    call: SandboxCall, holder: PointsHolder, subledgers: Sequence[str] | None = None
) -> None:
    """Delete a holder's entries, and with them the points.

    Args:
        call: the request.
        holder: whose.
        subledgers: the names of the ledgers; None for all.
    """
    program = program_by_id(call.store, holder)
    where: tuple[Where, ...] = (held_by(holder), among("subledgerId", subledgers))
    for entry in call.store.select("loyalty_entries", *where):
        _unbook(call, program, entry)
    for use in call.store.select("loyalty_uses", *where):
        book_figures(call.store, program, call.now, {"spent": -use["amount"]}, use["subledgerId"])
    call.store.delete_where("loyalty_uses", *where)
    call.store.delete_where("loyalty_entries", *where)
    for ledger in call.store.select("loyalty_ledgers", *where):
        renew(call.store, program, holder, ledger["subledgerId"], call.now)


def _unbook(call: SandboxCall, program: Document, entry: Document) -> None:
    """Undo an entry's contribution to its program's figures."""
    if entry["type"] == "addition":
        book_course(call.store, program, entry, -entry["left"], call.now)
    elif entry.get("owed"):
        owed = {"negative": -entry["owed"]}
        book_figures(call.store, program, call.now, owed, entry["subledgerId"])
