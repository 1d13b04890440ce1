"""What the account remembers of the requests that it has answered."""

from __future__ import annotations

from talonone_mcp.sandbox.handling import Call, Reply


def log(call: Call, reply: Reply) -> None:
    """Keep a record of a request that was answered, in the transaction of its changes."""
