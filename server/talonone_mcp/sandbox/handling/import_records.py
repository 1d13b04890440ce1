"""The record that every import stores and answers with."""

from __future__ import annotations

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall


def imported(call: SandboxCall, entity: str, amount: int) -> Document:
    """Store and return the record of an import.

    Args:
        call: the request.
        entity: what was imported, by upstream's name for it.
        amount: how many of them.
    """
    record = {
        "created": stamp(call.now),
        "accountId": ACCOUNT_ID,
        "userId": call.user_id,
        "entity": entity,
        "amount": amount,
    }
    return call.store.add("imports", record)
