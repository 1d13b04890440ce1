"""Approvals: a person's yes to exactly one call, given outside the conversation.

The ledger also tracks sent calls. A confirmed call is entered before it is sent and closed once its
outcome is known, so that a server that dies in between never sends it again unasked. To share a
ledger between replicas, implement `Ledger`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, Protocol

State = Literal["pending", "approved", "denied", "sent", "done", "unknown", "shown"]
"""pending, approved or denied, sent, done; unknown if nobody learned the outcome of a sent call.

shown is a call that is asked about elsewhere, kept so that a person can read all of it.
"""

MAX_PENDING = 50  # approvals per principal, so that no agent floods a person


class LedgerError(Exception):
    """The ledger is unusable; the message says why. Calls that need it must not be sent."""


class TooManyPendingError(Exception):
    """`MAX_PENDING` approvals are already waiting for this principal."""


class DecisionError(Exception):
    """An approval cannot be decided: it does not exist, has expired or is already decided."""


@dataclass(frozen=True, slots=True)
class GatedCall:
    """Exactly one call, as a person confirms it.

    `digest` covers principal, deployment, tool and every byte to be sent. `arguments` is JSON text
    for people, with secrets masked.
    """

    principal: str
    client: str
    deployment: str
    tool: str
    arguments: str
    digest: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One entry of the ledger. Times are Unix times in seconds."""

    id: str
    state: State
    call: GatedCall
    question: str
    created: float
    expires: float
    decided_by: str = ""
    reason: str = ""


class Ledger(Protocol):
    """Stores approvals. Every method is atomic across tasks, processes and crashes.

    Each may raise `LedgerError`; whether anything changed is then unknown.
    """

    def unanswered(self, call: str) -> Approval | None:
        """Return a sent call with this digest whose outcome is not known, and mark it unknown.

        Each is returned once; whoever repeats the call after that has been told.
        """

    def request(self, call: GatedCall, question: str, seen: str) -> Approval:
        """Return the unexpired approval for this call, or enter a new pending one.

        Args:
            call: the call to be sent.
            question: the text that the person reads.
            seen: a digest of what the question showed; only approvals with the same one match.

        Raises:
            TooManyPendingError: `MAX_PENDING` others wait for the principal.
        """

    def consume(self, approval: str) -> bool:
        """Mark an approved, unexpired entry as sent; return False for any other."""

    def enter(self, call: GatedCall, question: str, by: str) -> str:
        """Enter as sent a call that a person confirmed in the conversation; return its id."""

    def keep(self, call: GatedCall, question: str, entry: str) -> None:
        """Keep a call under this id, so that a person can read all of it; it cannot be decided."""

    def close(self, approval: str) -> None:
        """Mark a sent call as done: its outcome is known."""

    def get(self, approval: str) -> Approval | None:
        """Return one entry, or None."""

    def waiting(self) -> list[Approval]:
        """Return the unexpired entries that are pending or approved, oldest first."""

    def decide(self, approval: str, *, approve: bool, by: str, reason: str = "") -> Approval:
        """Approve or deny a pending entry, or revoke an approval; return the updated entry.

        The decision restarts the entry's lifetime.

        Raises:
            DecisionError: the entry cannot be decided.
        """

    def prune(self) -> int:
        """Delete the entries that are of no more use; return how many."""


def digest_of(*parts: str) -> str:
    """Return a digest of several texts that also depends on where one ends and the next starts."""
    return sha256(
        "\0".join(sha256(part.encode()).hexdigest() for part in parts).encode()
    ).hexdigest()
