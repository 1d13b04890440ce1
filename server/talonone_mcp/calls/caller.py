"""Who makes a call: on whose behalf, with which client, and how a person can be asked.

A face makes one `Caller` for each request and passes it down. Nothing below changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from talonone_mcp.core.progress import Progress, silent

LOCAL = "local"
"""The principal of a server that only this machine's user can reach."""

Era = Literal["modern", "handshake", "none"]
"""How the client speaks: MCP of 2026-07-28 and later, MCP before it, or no MCP at all."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a question.

    `open` means that the client has yet to show it: the reply comes with another request. `late`
    is true when what the question showed may have changed since.
    """

    verdict: Literal["yes", "no", "cancelled", "open"]
    late: bool = False


class NobodyThereError(Exception):
    """The client could not put the question to anybody after all; the message says why."""


class Person(Protocol):
    """Somebody who can be asked, in whatever way the client has."""

    async def answer(self, question: str, binding: str) -> Reply:
        """Ask, and wait for the reply where the client can be waited for.

        Args:
            question: what the person reads.
            binding: stands for everything that would be sent, including the content of a file,
                and for what the question shows. A reply counts for that alone.

        Raises:
            NobodyThereError: nobody could be asked.
            CallError: `approval_required`, when the reply belongs to another question.
        """


class QuestionOpenError(Exception):
    """The call waits for a person: their client shows the question and calls again.

    Attributes:
        question: what the person reads.
        binding: what their reply counts for (see `Person.answer`).
    """

    def __init__(self, question: str, binding: str) -> None:
        super().__init__("a person must confirm")
        self.question = question
        self.binding = binding


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call.

    Attributes:
        principal: on whose behalf. Approvals, audit lines and exports belong to them.
        client: the program, by its own name and version.
        era: how it speaks.
        person: who can be asked through it, if anybody.
        progress: takes reports of how far the call is.
        via: the workflow or the MCP method that makes the call for the client.
    """

    principal: str
    client: str
    era: Era = "none"
    person: Person | None = None
    progress: Progress = silent
    via: str = ""
