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
from typing import Any, Literal, TypeVar

import anyio.to_thread

from talonone_mcp.calls.caller import Caller, NobodyThereError, Person, QuestionOpenError, Reply
from talonone_mcp.calls.imports import Content
from talonone_mcp.calls.plan import Plan
from talonone_mcp.calls.question import Question
from talonone_mcp.core.catalog import Tool
from talonone_mcp.core.catalog.json_schema import satisfies
from talonone_mcp.core.catalog.model import Schema
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.settings import ConfirmPolicy
from talonone_mcp.store.ledger import (
    MAX_PENDING,
    Approval,
    Call,
    Ledger,
    LedgerError,
    TooManyPendingError,
    digest_of,
)
from talonone_mcp.upstream.wire_errors import look_first

_T = TypeVar("_T")

WriteQuestion = Callable[[], Awaitable[Question]]
"""Writes the question about a call, with what is there at that moment. May raise CallError."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How a call came through the gate.

    `entry` is its place in the ledger, if it has one; `plan` the plan that the person agreed to,
    if the call is a workflow's.
    """

    how: Literal["conversation", "approval", "off"]
    by: str = ""
    entry: str = ""
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class AgreedPlan:
    """A plan that a person agreed to as one, and how; None where nobody had to be asked."""

    plan: Plan
    passage: Passage | None

    def covers(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether the yes stands for a call, as a step of the plan."""
        return self.passage is not None and self.plan.covers(operation, arguments)

    @property
    def step_passage(self) -> Passage | None:
        """How a step comes through the gate: the ledger entry is the plan's alone."""
        return self.passage and replace(self.passage, entry="", plan=None)


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

    def asks_about(self, tool: Tool, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a person must confirm this call."""
        confirm = tool.confirm
        if confirm is None or confirm.when is None:
            return confirm is not None
        above = self._thresholds.get(confirm.threshold)
        when = confirm.when if above is None else _raised(confirm.when, above)
        return satisfies(when, arguments)

    async def confirm(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        deployment: str,
        write: WriteQuestion,
    ) -> Passage:
        """Return once a person has said yes to exactly this call, or need not be asked.

        Args:
            tool: what is called. Whether it needs a yes, `asks_about` tells.
            arguments: what would be sent.
            caller: who calls, and who can be asked.
            deployment: where the call would go.
            write: writes the question, from what is there now.

        Raises:
            QuestionOpenError: the client has to show the question first.
            CallError: `blocked`, `approval_required` or `declined`; `outcome_unknown` when this
                very call was sent before and its answer never came; what `write` raises, in which
                case nobody is asked.
        """
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
        if caller.person is not None and self._policy == "ask":
            try:
                return await self._ask(caller.person, call, write)
            except NobodyThereError:
                pass  # the client cannot do what it declared: ask outside the conversation
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

    async def _refuse_if_unanswered(self, tool: Tool, call: Call) -> None:
        sent = await self._in_ledger(self._ledger.unanswered, call.digest)
        if sent is not None:
            raise CallError(
                "outcome_unknown",
                f"Exactly this call was confirmed and sent at {_time(sent.created)}, and no answer"
                " to it is known: it is still under way, or the server ended before.",
                hint=look_first(tool),
            )

    async def _ask(self, person: Person, call: Call, write: WriteQuestion) -> Passage:
        """Ask in the conversation, and again while what the question showed keeps changing."""
        question = await write()
        while True:
            binding = f"{call.digest} {question.seen}"
            reply = await person.answer(question.text, binding)
            if reply.verdict == "open":
                raise QuestionOpenError(question.text, binding)
            if reply.verdict != "yes":
                raise _declined(question.text, reply)
            asked, question = question, await write() if reply.late else question
            if question.seen == asked.seen:
                break
        entry = await self._in_ledger(self._ledger.enter, call, question.text, call.principal)
        return Passage("conversation", call.principal, entry, question.plan)

    async def _approved(self, call: Call, question: Question) -> Passage:
        """Return when a person approved this outside the conversation; ask there otherwise."""
        try:
            request = partial(self._ledger.request, call, question.text, question.seen)
            approval = await self._in_ledger(request)
        except TooManyPendingError:
            raise CallError(
                "approval_required",
                f"A person must confirm this, but {MAX_PENDING} calls wait for a person already."
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
                return Passage("approval", approval.decided_by, approval.id, question.plan)
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
