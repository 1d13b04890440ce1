"""The gate: which calls a person must confirm, and that none of them goes out without their yes.

How the question reaches the person is not known here: a `Person` does that, or, where none can be
asked in the conversation, an approval outside it. Nothing that a model can send answers for one.
Every confirmed call is entered in the ledger before it goes out; whatever is wrong with the ledger
keeps the call from going out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

import anyio.to_thread

from talonone_mcp.calls.imports import Content
from talonone_mcp.calls.question import Preview, Question, question_about
from talonone_mcp.core.catalog import Tool
from talonone_mcp.core.catalog.json_schema import satisfies
from talonone_mcp.core.catalog.model import Schema
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.settings import ConfirmPolicy
from talonone_mcp.store.ledger import (
    MOST_PENDING,
    Approval,
    Call,
    Ledger,
    LedgerError,
    TooManyPendingError,
    digest_of,
)
from talonone_mcp.upstream.wire_errors import look_first

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person said. `late` is true when the preview that they saw may be old by now."""

    verdict: Literal["yes", "no", "cancelled"]
    late: bool


class Asked(Exception):
    """A question goes back to the client instead of an answer; the reply comes with another call.

    Not an error: `Person.answer` raises one where its client works so.
    """


class NobodyThereError(Exception):
    """The client could not put the question to anybody after all; the message says why."""


class Person(Protocol):
    """Somebody who can be asked, by whatever way the client has."""

    async def answer(self, question: str, call: str) -> Reply:
        """Ask and wait for the reply.

        Args:
            question: what the person reads.
            call: stands for all that would be sent, the content of a file included, and for what
                the question shows. A reply counts for that alone.

        Raises:
            NobodyThereError: nobody could be asked.
            CallError: `approval_required`, when the reply is not for this question.
        """


@dataclass(frozen=True, slots=True)
class Passage:
    """How a call came through the gate. `entry` is its place in the ledger, if it has one."""

    how: Literal["conversation", "approval", "off"]
    by: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A call of a plan. `open` are the arguments that an earlier call of the plan decides."""

    operation: str
    arguments: Mapping[str, Any]
    open: frozenset[str] = frozenset()

    def is_(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call is the one that was planned."""
        fixed = {name: value for name, value in arguments.items() if name not in self.open}
        return operation == self.operation and fixed == self.arguments


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a person has agreed to: a plan of several calls, as one."""

    passage: Passage
    calls: tuple[Planned, ...]

    def covers(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call is part of it."""
        return any(call.is_(operation, arguments) for call in self.calls)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call: on whose behalf, with which client, and whom that client can ask.

    `progress` takes how far the call is. `via` is the workflow that makes it, and `agreement` the
    plan of that; both come from this server alone.
    """

    principal: str
    client: str
    person: Person | None = None
    progress: Progress = silent
    via: str = ""
    agreement: Agreement | None = None


class Gate:
    """The gate of one server."""

    def __init__(
        self, policy: ConfirmPolicy, ledger: Ledger, thresholds: Mapping[str, int]
    ) -> None:
        """Take what the gate decides by.

        Args:
            policy: what happens to a call that a person must confirm.
            ledger: where approvals and confirmed calls are entered.
            thresholds: the operator's limits by the catalog's name for them; the catalog's own
                hold for the others.
        """
        self._policy: ConfirmPolicy = policy
        self._ledger = ledger
        self._thresholds = thresholds

    async def admit(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        deployment: str,
        preview: Preview,
    ) -> Passage | None:
        """Return when the call may go out: nobody need be asked, or somebody said yes to just this.

        Raises:
            CallError: `blocked`, `approval_required` or `declined`; `not_found` when what is to be
                changed is not there, in which case nobody is asked; `outcome_unknown` when this
                very call was sent before and its answer never came.
        """
        confirm = tool.confirm
        if confirm is None or not self._concerns(tool, arguments):
            return None
        agreement = caller.agreement
        if agreement and agreement.covers(tool.name, arguments):
            return replace(agreement.passage, entry="")  # the plan's own entry stands for it
        if self._policy == "off":
            return Passage("off")
        if self._policy == "block":
            raise CallError(
                "blocked",
                f"{tool.name} needs a person's confirmation, which this server never asks for.",
                hint="Whoever runs the server started it with --confirm block.",
            )
        call = _call(tool, arguments, caller, deployment)
        await self._refuse_if_unanswered(tool, call)
        write = partial(question_about, tool, confirm, arguments, preview)
        if caller.person is not None and self._policy == "ask":
            try:
                return await self._ask(caller.person, call, write)
            except NobodyThereError:
                pass  # a client that cannot do what it declared: the person is asked elsewhere
        return await self._approved(call, await write())

    async def close(self, passage: Passage | None) -> None:
        """Note that the outcome of an admitted call is known, so that it may be made anew.

        When that cannot be noted, the call was made all the same, and its answer counts: made
        again, it is answered with `outcome_unknown` once, although the outcome was known.
        """
        if passage is not None and passage.entry:
            try:
                await anyio.to_thread.run_sync(self._ledger.close, passage.entry)
            except LedgerError:
                logging.getLogger(__name__).exception("%s stays open", passage.entry)

    def _concerns(self, tool: Tool, arguments: Mapping[str, Any]) -> bool:
        confirm = tool.confirm
        if confirm is None or confirm.when is None:
            return confirm is not None
        above = self._thresholds.get(confirm.threshold)
        when = confirm.when if above is None else _raised(confirm.when, above)
        return satisfies(when, arguments)

    async def _refuse_if_unanswered(self, tool: Tool, call: Call) -> None:
        sent = await self._in_ledger(self._ledger.unanswered, call.digest)
        if sent is not None:
            raise CallError(
                "outcome_unknown",
                f"Exactly this call was confirmed and sent at {_time(sent.created)}, and no answer"
                " to it is known: it is still under way, or the server ended before.",
                hint=look_first(tool),
            )

    async def _ask(
        self, person: Person, call: Call, write: Callable[[], Awaitable[Question]]
    ) -> Passage:
        """Ask in the conversation, and again while what the question showed changes meanwhile."""
        question = await write()
        while True:
            reply = await person.answer(question.text, f"{call.digest} {question.seen}")
            if reply.verdict != "yes":
                raise _declined(question.text, reply)
            asked, question = question, await write() if reply.late else question
            if question.seen == asked.seen:
                break
        entry = await self._in_ledger(self._ledger.enter, call, question.text, call.principal)
        return Passage("conversation", call.principal, entry)

    async def _approved(self, call: Call, question: Question) -> Passage:
        """Return when a person approved this outside the conversation; ask there otherwise."""
        try:
            request = partial(self._ledger.request, call, question.text, question.seen)
            approval = await self._in_ledger(request)
        except TooManyPendingError:
            raise CallError(
                "approval_required",
                f"A person must confirm this, but {MOST_PENDING} calls wait for a person already."
                " Nothing was changed, and nobody was asked.",
                hint="Stop, and ask your user to look at: talonone-mcp approvals list",
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
                return Passage("approval", approval.decided_by, approval.id)
            raise CallError(
                "approval_required",
                f"Approval {approval.id} has been used, or has expired, a moment ago. This call was"
                " not made.",
                hint="Read what is there now before calling again.",
            )
        raise _waiting(approval)

    async def _in_ledger(self, work: Callable[..., _T], *values: Any) -> _T:
        """Use the ledger in a thread: a file may keep one waiting.

        Raises:
            CallError: `blocked`, when the ledger cannot be used.
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


def _call(tool: Tool, arguments: Mapping[str, Any], caller: Caller, deployment: str) -> Call:
    exact = json.dumps(arguments, sort_keys=True, default=_standing_for)
    return Call(
        principal=caller.principal,
        client=caller.client,
        deployment=deployment,
        tool=tool.name,
        arguments=json.dumps(_shown(tool, arguments), ensure_ascii=False),
        digest=digest_of(caller.principal, deployment, tool.name, exact),
    )


def _shown(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as the person who approves them sees them: whole, but for secrets."""
    return {
        name: "[secret]"
        if name in tool.secrets
        else _beginning(value)
        if isinstance(value, Content)
        else value
        for name, value in arguments.items()
    }


def _beginning(content: Content) -> str:
    cut = len(content.begins) < content.characters
    return f"{content.begins}... ({content.characters} characters)" if cut else content.begins


def _standing_for(content: Content) -> str:
    """Return what stands in the digest of a call for a CSV, wherever that is kept."""
    return content.sha256


def _raised(when: Schema, above: int) -> Schema:
    """Return a condition with the operator's limit in the place of the catalog's."""
    limits = {"exclusiveMinimum": above, "minItems": above + 1}
    return {
        key: limits.get(key, _raised(value, above) if isinstance(value, dict) else value)
        for key, value in when.items()
    }


def _waiting(approval: Approval) -> CallError:
    command = f"talonone-mcp approvals approve {approval.id}"
    until = _time(approval.expires)
    return CallError(
        "approval_required",
        f"A person must confirm this outside the conversation. Nothing was changed."
        f" {approval.question}",
        hint=f"Ask your user to run: {command} (until {until}). Then make exactly the same call"
        " again. You cannot approve it yourself.",
        approval={"id": approval.id, "approve": command, "expires": until},
    )


def _declined(question: str, reply: Reply) -> CallError:
    said = "A person declined" if reply.verdict == "no" else "A person closed the question"
    return CallError(
        "declined",
        f"{said}. Nothing was changed. {question}",
        hint="Do not call this again unless they ask for it.",
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
