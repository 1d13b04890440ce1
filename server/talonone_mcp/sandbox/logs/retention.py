"""Keeps the logs from growing without end: the oldest entries go."""

from __future__ import annotations

from talonone_mcp.sandbox.documents.conditions import Condition
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore

MOST = 10_000  # entries of one log
_STRIDE = 500  # entries beyond that before any are removed, so that few requests pay for it


def keep(store: DocumentStore, log: str, entry: Document) -> None:
    """Add an entry to a log of at most `MOST` and a few entries, and let go of the oldest ones.

    Args:
        store: where to.
        log: the kind of its entries.
        entry: the new one, without an id.
    """
    number = store.next_id(log)
    store.add(log, {"id": number, **entry})
    if number > MOST and number % _STRIDE == 0:
        store.delete_where(log, Condition("id <= ?", (number - MOST,)))
