"""The record of an import, which every import answers with."""

from __future__ import annotations

from talonone_mcp.sandbox.account import ACCOUNT_ID
from talonone_mcp.sandbox.handling import Call
from talonone_mcp.sandbox.store import Document
from talonone_mcp.sandbox.times import stamp


def imported(call: Call, entity: str, amount: int) -> Document:
    """Keep and return the record of an import.

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
