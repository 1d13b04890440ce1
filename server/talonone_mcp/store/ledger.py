"""Approvals: a person's yes to exactly one call, given outside the conversation.

The same ledger keeps what was sent and not answered: a call that a person confirmed is entered
before it goes out and closed when its answer is there, so that a server that dies in between never
sends it again unasked. Whoever keeps the ledger elsewhere, so that replicas share it, implements
`Ledger`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, Protocol

State = Literal["pending", "approved", "denied", "sent", "done", "unknown"]
"""pending, then approved or denied, then sent and done; unknown when nobody learned the outcome."""

MOST_PENDING = 50  # approvals that may wait for one principal, so that no agent floods a person


class LedgerError(Exception):
    """The ledger cannot be used; the message says why. No call that needs it may go out."""


class TooManyPendingError(Exception):
    """So many approvals wait for this principal that no other is taken."""


class DecisionError(Exception):
    """An approval cannot be decided: it is not there, expired, or decided already."""


@dataclass(frozen=True, slots=True)
class Call:
    """Exactly one call, as it is confirmed.

    `digest` stands for principal, deployment, tool and every byte that would be sent; `arguments`
    is a JSON text of the arguments for people, with secrets masked.
    """

    principal: str
    client: str
    deployment: str
    tool: str
    arguments: str
    digest: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One entry of the ledger. Times are seconds since 1970, UTC."""

    id: str
    state: State
    call: Call
    question: str
    created: float
    expires: float
    decided_by: str = ""
    reason: str = ""


class Ledger(Protocol):
    """Where approvals are kept. Every method is atomic, across tasks, processes and crashes.

    Each may raise `LedgerError`; then nothing was changed, or it is not known what was.
    """

    def unanswered(self, call: str) -> Approval | None:
        """Return a call of this digest that was sent and never answered, and mark it unknown.

        It is returned once: who repeats the call after that has been told.
        """

    def request(self, call: Call, question: str, seen: str) -> Approval:
        """Return the live approval for this call, or enter a new pending one.

        Args:
            call: what would be sent.
            question: what the person reads.
            seen: a digest of what the question showed; an approval of something else is no match.

        Raises:
            TooManyPendingError: `MOST_PENDING` others wait for the principal.
        """

    def consume(self, approval: str) -> bool:
        """Turn an approved and unexpired entry into a sent one; False if it is none. Once only."""

    def enter(self, call: Call, question: str, by: str) -> str:
        """Enter a call that a person confirmed in the conversation as sent; return its id."""

    def close(self, approval: str) -> None:
        """Note that the outcome of a sent call is known."""

    def get(self, approval: str) -> Approval | None:
        """Return one entry."""

    def waiting(self) -> list[Approval]:
        """Return the entries that are pending or approved, and not expired, oldest first."""

    def decide(self, approval: str, *, approve: bool, by: str, reason: str = "") -> Approval:
        """Approve or deny a pending entry, or take back a yes; return the entry as it is then.

        An approved one is good from now on for as long as a pending one waits.

        Raises:
            DecisionError: it cannot be decided (any more).
        """

    def prune(self) -> int:
        """Delete the entries that can no longer open anything or tell anything; return how many."""


def digest_of(*parts: str) -> str:
    """Return a digest of texts that no other texts have, however they are cut."""
    return sha256(
        "\0".join(sha256(part.encode()).hexdigest() for part in parts).encode()
    ).hexdigest()
