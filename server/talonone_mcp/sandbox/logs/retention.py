"""Keeps the logs from growing without end: the oldest entries go."""

from __future__ import annotations

from talonone_mcp.sandbox.documents.conditions import Condition
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.limits import USUAL_LIMITS, SandboxLimits


def keep_entry(
    store: DocumentStore, log: str, entry: Document, limits: SandboxLimits = USUAL_LIMITS
) -> None:
    """Add an entry to a log, and drop the oldest ones beyond its limit from time to time.

    Args:
        store: where the log is.
        log: the kind of its entries.
        entry: the new one, without an id.
        limits: how many entries the log keeps.
    """
    number = store.next_id(log)
    store.add(log, {"id": number, **entry})
    if number > limits.log_entries and number % limits.log_surplus == 0:
        store.delete_where(log, Condition("id <= ?", (number - limits.log_entries,)))
