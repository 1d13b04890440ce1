"""Runs calls: check, validate, confirm, send, shape, record. This is the only way upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from talonone_mcp.calls.admission import Admission, RehearsedError
from talonone_mcp.calls.arguments import refuse, validate
from talonone_mcp.calls.caller import Caller
from talonone_mcp.calls.explained import Explained
from talonone_mcp.calls.gate import AgreedPlan
from talonone_mcp.calls.impact import is_rehearsal
from talonone_mcp.calls.imports import ImportFiles
from talonone_mcp.calls.imports.whole_lists import changed_list, changes_a_list
from talonone_mcp.calls.paging import FETCH_ALL, Pages, described, fetch_all
from talonone_mcp.calls.plan import Plan
from talonone_mcp.calls.recorder import AuditEntry, Recorder
from talonone_mcp.calls.request import build
from talonone_mcp.calls.shaping.hidden_secrets import for_reading, with_secrets
from talonone_mcp.calls.shaping.model_answer import (
    FIELDS,
    Shaped,
    full_answer,
    shape,
    shape_export,
)
from talonone_mcp.core.catalog import Catalog, Operation, Tool, Workflow
from talonone_mcp.core.catalog.application_keys import APPLICATION
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.names import in_words
from talonone_mcp.core.policy import Key
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.settings import ConfirmPolicy
from talonone_mcp.core.text import one_line
from talonone_mcp.store import Store
from talonone_mcp.upstream.connection import Upstream
from talonone_mcp.upstream.http_messages import Answer, Sink
from talonone_mcp.upstream.place import Place

_MAX_ITEMS = 500_000  # of a collection, which upstream allows no more

Announce = Callable[[Operation, Mapping[str, Any], Any], None]
"""Is told what a call changed or may have changed: operation, arguments, upstream's answer or None.

It returns at once and raises nothing.
"""


@dataclass(frozen=True, slots=True)
class ServerStanding:
    """Where calls go, and what they may do.

    Attributes:
        place: the deployment.
        read_only: whether only reads may be called.
        mode: what happens to a call that a person must confirm.
        left: how much of each kind and unit may still go without asking.
    """

    place: Place
    read_only: bool
    mode: ConfirmPolicy
    left: Mapping[Key, float]


def announce_nothing(operation: Operation, arguments: Mapping[str, Any], answer: Any) -> None:
    """Do nothing: nobody listens."""


class Executor:
    """Runs operations for any caller: an MCP client, the terminal, a workflow."""

    def __init__(  # noqa: PLR0913 - everything that a call passes through
        self,
        catalog: Catalog,
        upstream: Upstream,
        admission: Admission,
        recorder: Recorder,
        store: Store,
        *,
        import_files: ImportFiles,
        read_only: bool = False,
        announce: Announce = announce_nothing,
    ) -> None:
        """Take everything that calls need.

        Args:
            catalog: every operation.
            upstream: sends requests.
            admission: lets a call through, once a person has confirmed it if need be.
            recorder: writes calls to the audit log.
            store: keeps exports and the full text of cut answers.
            import_files: where imports may read files.
            read_only: whether only reads may be called.
            announce: is told of every write sent and every export kept.
        """
        self._catalog = catalog
        self._upstream = upstream
        self._admission = admission
        self._recorder = recorder
        self._store = store
        self._import_files = import_files
        self._read_only = read_only
        self._announce = announce

    @property
    def applications(self) -> tuple[int, ...]:
        """The ids of the Applications that have their own Integration API key."""
        return self._upstream.applications

    def operation(self, name: str) -> Operation:
        """Return the operation with this name or alias.

        Raises:
            CallError: `not_found`, with the nearest names.
        """
        tool = self._catalog.find(name)
        if not isinstance(tool, Operation):
            raise no_such_tool(self._catalog, name)
        return tool

    async def call(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        """Run one operation and return its answer, shaped for a model.

        Args:
            operation: the operation to call.
            arguments: path, query and body arguments in one mapping.
            caller: who calls, and who can be asked to confirm.

        Raises:
            CallError: the call failed or is not allowed.
            QuestionOpenError: a person must confirm the call first.
        """
        async with self._admitted(operation, arguments, caller) as (sent, entry):
            if operation.is_export:
                return await self._export(operation, sent, caller, entry)
            answer, pages = await self._answered(operation, sent, caller, entry)
            shaped = shape(operation, sent, answer)
            return self._with_link(operation, caller, described(shaped, pages, sent))

    async def call_in_full(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        caller: Caller,
        agreed: AgreedPlan | None = None,
    ) -> dict[str, Any]:
        """Run one operation and return its full answer, without empty values and hidden characters.

        This is for callers that pick from answers: workflows, scripts, the terminal. Without
        `fields`, the answer has every field. Exports are as `call` returns them.

        Args:
            operation: the operation to call.
            arguments: as for `call`.
            caller: as for `call`.
            agreed: the agreed plan that this call is a step of. Its steps need no other yes.

        Raises:
            CallError: the call failed or is not allowed.
            QuestionOpenError: a person must confirm the call first.
        """
        async with self._admitted(operation, arguments, caller, agreed) as (sent, entry):
            if operation.is_export:
                return await self._export(operation, sent, caller, entry)
            answer, _ = await self._answered(operation, sent, caller, entry)
            return full_answer(answer, arguments.get(FIELDS, ()))

    async def standing(self, caller: Caller) -> ServerStanding:
        """Return where calls go, whether they may change anything, and what is left unasked.

        Raises:
            CallError: `blocked`, if the sums cannot be read.
        """
        place = self._upstream.place(self._catalog.operations["list_applications"])
        left = await self._admission.left(place, caller)
        return ServerStanding(place, self._read_only, self._admission.mode, left)

    def offers(self, operation: Operation) -> bool:
        """Tell whether the operation's API is configured."""
        try:
            self._upstream.check(operation)
        except CallError:
            return False
        return True

    def check(self, operation: Operation, arguments: Mapping[str, Any]) -> None:
        """Refuse arguments that a call of the operation would be refused for.

        Raises:
            CallError: `invalid_arguments`.
        """
        validate(operation, arguments)

    @asynccontextmanager
    async def begun(
        self, tool: Tool, arguments: Mapping[str, Any], caller: Caller
    ) -> AsyncIterator[AuditEntry]:
        """Begin a call that is allowed and whose arguments are valid; record how it ends.

        Raises:
            CallError: `blocked`, `not_configured` or `invalid_arguments`.
        """
        if self._read_only and not tool.is_read:
            raise CallError(
                "blocked",
                f"{tool.name} was not called: this server was started with --read-only.",
                hint="Only reads can be called here.",
            )
        recording = self._recorder.recording(tool, arguments, caller)
        async with nullcontext(AuditEntry()) if caller.rehearses else recording as entry:
            if isinstance(tool, Operation):
                self._upstream.check(tool, _application(tool, arguments))
            validate(tool, arguments)
            yield entry

    @asynccontextmanager
    async def agreed(
        self,
        workflow: Workflow,
        arguments: Mapping[str, Any],
        caller: Caller,
        entry: AuditEntry,
        make: Callable[[], Awaitable[Plan]],
    ) -> AsyncIterator[AgreedPlan]:
        """Have a person agree to a workflow's plan, and yield the agreed plan.

        Args: as `Admission.agreed` takes them.

        Raises:
            CallError: nobody agreed, or `make` raised it and nobody was asked.
            QuestionOpenError: a person must agree first.
            RehearsedError: the call was only to be explained.
        """
        if caller.rehearses:
            plan = await make()
            raise RehearsedError(self._admission.explained_plan(workflow, arguments, plan, caller))
        admitted = self._admission.agreed(workflow, arguments, caller, entry, make)
        async with admitted as agreed:
            yield agreed

    async def explain(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller
    ) -> Explained:
        """Return what a call would do, and whether a person would be asked. Nothing is changed.

        Raises:
            CallError: the call would be refused.
        """
        async with (
            self.begun(operation, arguments, replace(caller, rehearses=True)) as entry,
            self._contents(operation, arguments, entry) as (shown, _),
        ):
            return await self._admission.explained(operation, shown, caller)

    @asynccontextmanager
    async def _admitted(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        caller: Caller,
        agreed: AgreedPlan | None = None,
    ) -> AsyncIterator[tuple[Mapping[str, Any], AuditEntry]]:
        """Yield the arguments to send, once the call may go out, and its audit entry."""
        if caller.rehearses and not operation.is_read:
            raise RehearsedError(await self.explain(operation, arguments, caller))
        async with (
            self.begun(operation, arguments, caller) as entry,
            self._contents(operation, arguments, entry) as (shown, sent),
        ):
            if agreed and agreed.covers(operation.name, shown):
                entry.passage = agreed.step_passage if operation.impact else None
                yield await self._admission.completed(operation, sent), entry
                return
            async with self._admission.admitted(operation, shown, caller, entry) as whole:
                yield (sent if shown is not sent else whole), entry

    @asynccontextmanager
    async def _contents(
        self, operation: Operation, arguments: Mapping[str, Any], entry: AuditEntry
    ) -> AsyncIterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Yield the arguments to confirm, and those to send.

        They differ for an import: a summary of the CSV is confirmed, its text or file is sent.
        """
        columns = operation.body.columns if operation.body else None
        if columns is None:
            yield arguments, arguments
            return
        if changes_a_list(operation, arguments):
            arguments = await self._with_whole_list(operation, columns.items_in, arguments)
        async with self._import_files.opened(arguments, columns) as opened:
            refuse(operation, opened.problems)
            rest = {name: value for name, value in arguments.items() if name != "csvPath"}
            entry.file = opened.content if "csvPath" in arguments else None
            yield rest | {"csv": opened.content}, rest | {"csv": opened.source}

    async def _with_whole_list(
        self, operation: Operation, items_in: str, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the arguments with the CSV of all items, changed as the call says."""
        listing = self._catalog.operations[items_in]
        known = {name: arguments[name] for name in listing.path_arguments}
        every = {**known, FETCH_ALL: _MAX_ITEMS}
        _, pages = await fetch_all(listing, every, partial(self._send, listing), silent)
        return {**arguments, "csv": changed_list(operation, arguments, pages.items)}

    async def _answered(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller, entry: AuditEntry
    ) -> tuple[Answer, Pages | None]:
        """Return upstream's answer; for `fetchAll`, of all pages at once, with what was read."""
        if FETCH_ALL in arguments:
            send = partial(self._send, operation)
            answer, pages = await fetch_all(operation, arguments, send, caller.progress)
        else:
            answer, pages = await self._send(operation, arguments, caller.progress), None
        entry.status = answer.status
        return await for_reading(operation, answer, self._store.secret_files), pages

    def _with_link(self, operation: Operation, caller: Caller, shaped: Shaped) -> dict[str, Any]:
        """Return the content to show, with a link to the full answer if it was cut."""
        if shaped.full is None:
            return shaped.content
        cut_answer = self._store.cut_answers.keep(shaped.full, operation.name, caller.principal)
        page = shaped.content.get("page", {})
        return {**shaped.content, "page": {**page, "whole": cut_answer.uri}}

    async def _export(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller, entry: AuditEntry
    ) -> dict[str, Any]:
        """Write the answer to a file, and return a description of it with its first rows."""
        exports = self._store.exports
        async with exports.receiving(caller.progress) as draft:
            answer = await self._send(operation, arguments, caller.progress, draft)
            entry.status = answer.status
            export = await exports.keep(draft, operation.name, caller.principal)
            self._announce(operation, arguments, None)
            return shape_export(export, draft.beginning)

    async def _send(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        progress: Progress = silent,
        sink: Sink | None = None,
    ) -> Answer:
        request = build(operation, with_secrets(operation, arguments, self._store.secret_files))
        answer, may_have_changed = None, not (operation.is_read or is_rehearsal(arguments))
        try:
            answer = await self._upstream.send(operation, request, progress=progress, sink=sink)
        except CallError as error:
            may_have_changed = may_have_changed and error.kind == "outcome_unknown"
            raise
        finally:  # also if the caller gave up: the request may have arrived
            if may_have_changed:
                self._announce(operation, arguments, answer and answer.body)
        return answer


def no_such_tool(catalog: Catalog, name: str) -> CallError:
    """Return the error for a name that is not in the catalog."""
    near = in_words(catalog.nearest(name), "or")
    return CallError(
        "not_found",
        f"There is no operation {one_line(name, 80)!r}.",
        hint=f"The closest are {near}. find_operations searches all operations.",
    )


def _application(operation: Operation, arguments: Mapping[str, Any]) -> object:
    """Return the Application whose key to use; None if callers cannot choose one."""
    return arguments.get(APPLICATION) if APPLICATION in operation.reserved else None
