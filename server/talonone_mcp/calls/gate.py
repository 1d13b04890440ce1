"""Holds a call that a person must confirm until they say yes to exactly this call.

A `Person` puts the question in the conversation. If nobody can be asked there, an approval outside
it is needed. Nothing that a model sends counts as a yes. Every confirmed call is entered in the
ledger before it is sent; if the ledger fails, the call is not sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypeVar

import anyio.to_thread

from talonone_mcp.calls.caller import Caller, NobodyThereError, Person, QuestionOpenError, Reply
from talonone_mcp.calls.imports import Content
from talonone_mcp.calls.plan import Plan
from talonone_mcp.calls.question import Question
from talonone_mcp.core.catalog import Tool
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.settings import ConfirmPolicy
from talonone_mcp.store.ledger import (
    MAX_PENDING,
    Approval,
    GatedCall,
    Ledger,
    LedgerError,
    TooManyPendingError,
    digest_of,
)
from talonone_mcp.upstream.redaction import REDACTED
from talonone_mcp.upstream.wire_errors import look_first

_T = TypeVar("_T")

WriteQuestion = Callable[[], Awaitable[Question]]
"""Writes the question about a call from upstream's current state. May raise CallError."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How a call passed the gate.

    Attributes:
        how: where the yes came from; "off" if the gate asks for none.
        by: who said yes.
        entry: the call's entry in the ledger; "" if it has none.
        plan: the plan that the person agreed to, if the call is a workflow's.
    """

    how: Literal["conversation", "approval", "off"]
    by: str = ""
    entry: str = ""
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class AgreedPlan:
    """A plan, and how a person agreed to all of it.

    Attributes:
        passage: how the plan passed the gate; None if nobody had to be asked.
    """

    plan: Plan
    passage: Passage | None

    def covers(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether the yes to the plan covers a call."""
        return self.passage is not None and self.plan.covers(operation, arguments)

    @property
    def step_passage(self) -> Passage | None:
        """How a step passes the gate: only the plan itself has a ledger entry."""
        return self.passage and replace(self.passage, entry="", plan=None)


class Gate:
    """The gate of one server."""

    def __init__(self, mode: ConfirmPolicy, ledger: Ledger) -> None:
        """Take what the gate needs.

        Args:
            mode: what to do with a call that a person must confirm.
            ledger: where approvals and confirmed calls are entered.
        """
        self._mode: ConfirmPolicy = mode
        self._ledger = ledger

    @property
    def mode(self) -> ConfirmPolicy:
        """What happens to a call that a person must confirm."""
        return self._mode

    async def confirm(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        deployment: str,
        write: WriteQuestion,
    ) -> Passage:
        """Return once a person has said yes to exactly this call.

        Args:
            tool: the tool called.
            arguments: what would be sent.
            caller: who calls, and who can be asked.
            deployment: where the call would go.
            write: writes the question.

        Raises:
            QuestionOpenError: the client must show the question first.
            CallError: `blocked`, `approval_required` or `declined`; whatever `write` raises, in
                which case nobody is asked.
        """
        if self._mode == "block":
            raise CallError(
                "blocked",
                f"{tool.name} needs a person's confirmation, which this server never asks for.",
                hint="Whoever runs the server started it with --confirm block.",
            )
        call = gated_call(tool, arguments, caller, deployment)
        if caller.person is not None and self._mode == "ask":
            try:
                return await self._ask(caller.person, call, write)
            except NobodyThereError:
                pass  # the client cannot do what it declared, so ask outside the conversation
        return await self._approved(call, await self._written(call, write))

    async def close(self, passage: Passage | None) -> None:
        """Note that the outcome of a confirmed call is known, so that it may be made again.

        If the ledger fails, the call and its answer still count; the same call made again gets
        `outcome_unknown` once.
        """
        if passage is not None and passage.entry:
            try:
                await anyio.to_thread.run_sync(self._ledger.close, passage.entry)
            except LedgerError:
                logging.getLogger(__name__).exception("ledger entry %s stays open", passage.entry)

    async def refuse_if_unanswered(
        self, tool: Tool, arguments: Mapping[str, Any], caller: Caller, deployment: str
    ) -> None:
        """Refuse a call that was confirmed and sent before, and whose outcome is unknown.

        This comes before anything is read: once the call has worked, what it would change may be
        gone, and reading that would say "not found".

        Raises:
            CallError: `outcome_unknown`; `blocked` if the ledger fails.
        """
        if self._mode == "block":
            return
        call = gated_call(tool, arguments, caller, deployment)
        sent = await self._in_ledger(self._ledger.unanswered, call.digest)
        if sent is not None:
            raise CallError(
                "outcome_unknown",
                f"Exactly this call was confirmed and sent at {_time(sent.created)}. Its outcome is"
                " unknown: it is still under way, or the server stopped before the answer came.",
                hint=look_first(tool),
            )

    async def _ask(self, person: Person, call: GatedCall, write: WriteQuestion) -> Passage:
        """Ask in the conversation; ask again whenever what the question showed has changed."""
        question = await self._written(call, write)
        while True:
            binding = f"{call.digest} {question.seen}"
            reply = await person.answer(question.text, binding)
            if reply.verdict == "open":
                raise QuestionOpenError(question.text, binding)
            if reply.verdict != "yes":
                raise _declined(question.text, reply)
            asked = question
            question = await self._written(call, write) if reply.late else question
            if question.seen == asked.seen:
                break
        entry = await self._in_ledger(self._ledger.enter, call, question.text, call.principal)
        return Passage("conversation", call.principal, entry, question.plan)

    async def _written(self, call: GatedCall, write: WriteQuestion) -> Question:
        """Write the question; if it is too long to show everything, keep all of it for a person."""
        question = await write()
        if question.whole:
            keep = partial(self._ledger.keep, call, question.text, question.whole)
            await self._in_ledger(keep)
        return question

    async def _approved(self, call: GatedCall, question: Question) -> Passage:
        """Return if a person approved this outside the conversation; otherwise, ask for that."""
        try:
            request = partial(self._ledger.request, call, question.text, question.seen)
            approval = await self._in_ledger(request)
        except TooManyPendingError:
            raise CallError(
                "approval_required",
                f"A person must confirm this, but {MAX_PENDING} calls are already waiting for one."
                " Nothing was changed, and nobody was asked.",
                hint="Stop, and ask your user to check: talonone-mcp approvals list",
            ) from None
        if approval.state == "denied":
            reason = f": {approval.reason}" if approval.reason else ""
            raise CallError(
                "declined",
                f"A person denied this{reason}. Nothing was changed. {question.text}",
                hint="Do not call this again unless they ask for it.",
            )
        if approval.state == "approved":
            if await self._in_ledger(self._ledger.consume, approval.id):
                return Passage("approval", approval.decided_by, approval.id, question.plan)
            raise CallError(
                "approval_required",
                f"Approval {approval.id} was used or expired a moment ago. This call was not made.",
                hint="Read the current state before calling again.",
            )
        raise _waiting(approval)

    async def _in_ledger(self, work: Callable[..., _T], *values: Any) -> _T:
        """Use the ledger in a thread, since files may block.

        Raises:
            CallError: `blocked`, if the ledger fails.
        """
        try:
            return await anyio.to_thread.run_sync(partial(work, *values))
        except LedgerError as error:
            raise CallError(
                "blocked",
                f"A person must confirm this, and that cannot be recorded: {error}."
                " Nothing was sent.",
                hint="Whoever runs the server must repair that file, or set TALONONE_STATE_DIR.",
            ) from error


def gated_call(
    tool: Tool, arguments: Mapping[str, Any], caller: Caller, deployment: str
) -> GatedCall:
    """Return exactly one call, as a person confirms it."""
    exact = json.dumps(arguments, sort_keys=True, default=_digest_of_csv)
    return GatedCall(
        principal=caller.principal,
        client=caller.client,
        deployment=deployment,
        tool=tool.name,
        arguments=json.dumps(_shown(tool, arguments), ensure_ascii=False),
        digest=digest_of(caller.principal, deployment, tool.name, exact),
    )


def _shown(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as the approving person sees them: complete, except for secrets."""
    return {
        name: REDACTED
        if name in tool.secrets
        else _beginning(value)
        if isinstance(value, Content)
        else value
        for name, value in arguments.items()
    }


def _beginning(content: Content) -> str:
    is_cut = len(content.begins) < content.characters
    return f"{content.begins}... ({content.characters} characters)" if is_cut else content.begins


def _digest_of_csv(content: Content) -> str:
    """Return what represents a CSV in a call's digest, whether it came as text or as a file."""
    return content.sha256


def _waiting(approval: Approval) -> CallError:
    command = f"talonone-mcp approvals approve {approval.id}"
    until = _time(approval.expires)
    return CallError(
        "approval_required",
        f"A person must confirm this outside the conversation. Nothing was changed."
        f" {approval.question}",
        hint=f"Ask your user to run: {command} (before {until}). Then make exactly the same call"
        " again. You cannot approve it yourself.",
        approval={"id": approval.id, "approve": command, "expires": until},
    )


def _declined(question: str, reply: Reply) -> CallError:
    what = "A person declined" if reply.verdict == "no" else "A person closed the question"
    return CallError(
        "declined",
        f"{what}. Nothing was changed. {question}",
        hint="Do not call this again unless they ask for it.",
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
