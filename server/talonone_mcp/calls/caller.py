"""Describes who makes a call: on whose behalf, with which client, and how to ask a person.

A face makes one `Caller` for each request and passes it down. Nothing below changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from talonone_mcp.core.progress import Progress, silent

LOCAL = "local"
"""The principal of a server that only this machine's user can reach."""

Era = Literal["modern", "handshake", "none"]
"""What the client speaks: MCP from 2026-07-28 on, earlier MCP, or no MCP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a question.

    Attributes:
        verdict: "open" if the client must show the question first and reply in another request.
        late: whether what the question showed may have changed since.
    """

    verdict: Literal["yes", "no", "cancelled", "open"]
    late: bool = False


class NobodyThereError(Exception):
    """The client could not ask anybody after all; the message says why."""


class Person(Protocol):
    """Somebody who can be asked, however the client does that."""

    async def answer(self, question: str, binding: str) -> Reply:
        """Ask, and wait for the reply if the client allows that.

        Args:
            question: what the person reads.
            binding: identifies everything that would be sent, files included, and what the
                question shows. A reply counts for exactly that.

        Raises:
            NobodyThereError: nobody could be asked.
            CallError: `approval_required`, when the reply belongs to another question.
        """


class QuestionOpenError(Exception):
    """The call waits for a person; their client shows the question and calls again.

    Attributes:
        question: what the person reads.
        binding: what the reply counts for; see `Person.answer`.
    """

    def __init__(self, question: str, binding: str) -> None:
        super().__init__("a person must confirm")
        self.question = question
        self.binding = binding


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call.

    Attributes:
        principal: on whose behalf; owns approvals, audit lines and exports.
        client: the client program's name and version, as it gives them.
        era: what the client speaks.
        person: who can be asked through the client, if anybody.
        progress: takes progress reports.
        via: the workflow or MCP method that makes the call for the client.
        rehearses: whether the call is only to be explained: nothing is changed or recorded.
    """

    principal: str
    client: str
    era: Era = "none"
    person: Person | None = None
    progress: Progress = silent
    via: str = ""
    rehearses: bool = False
