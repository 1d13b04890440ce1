"""The life of a call: resolve, validate, gate, send, shape, record. No other way leads upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import anyio.to_thread

from talonone_mcp.calls.gate import Caller, Gate, Passage
from talonone_mcp.calls.imports import ImportFiles, csv_problems
from talonone_mcp.calls.paging import FETCH_ALL, Pages, contradictions, described, fetch_all
from talonone_mcp.calls.question import Preview
from talonone_mcp.calls.recorder import Record, Recorder
from talonone_mcp.calls.request import build
from talonone_mcp.calls.shaping.field_selection import fields_of, unknown
from talonone_mcp.calls.shaping.model_answer import FIELDS, Shaped, shape, shape_export, whole
from talonone_mcp.core.catalog import Catalog, Operation, Tool
from talonone_mcp.core.catalog.application_keys import APPLICATION
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.catalog.validation import problems
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.masking import names_people
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.text import one_line
from talonone_mcp.store.cut_answers import Answers
from talonone_mcp.store.exports import Exports
from talonone_mcp.upstream.connection import Upstream
from talonone_mcp.upstream.http_messages import Answer, Sink

Announce = Callable[[Operation, Mapping[str, Any], Any], None]
"""Is told what a call has changed, or may have: what, with which arguments, upstream's answer.

At once, and without raising anything; None in place of the answer when there is none.
"""


def unheard(operation: Operation, arguments: Mapping[str, Any], answer: Any) -> None:
    """Tell nobody: nobody listens."""


class Executor:
    """Runs operations for whoever asks: an MCP client, the terminal, another operation."""

    def __init__(  # noqa: PLR0913 - all that a call passes through
        self,
        catalog: Catalog,
        client: Upstream,
        gate: Gate,
        recorder: Recorder,
        *,
        import_files: ImportFiles,
        exports: Exports,
        answers: Answers,
        read_only: bool = False,
        announce: Announce = unheard,
    ) -> None:
        """Take what calls need.

        Args:
            catalog: every operation.
            client: the way upstream.
            gate: what holds a call until a person confirmed it.
            recorder: what enters calls in the audit log.
            import_files: where an import may read a file.
            exports: where an export is kept.
            answers: where the whole of an answer that was cut is kept.
            read_only: whether nothing but reads may be called.
            announce: is told of every write that was sent, and of every export that is kept.
        """
        self._catalog = catalog
        self._client = client
        self._gate = gate
        self._recorder = recorder
        self._import_files = import_files
        self._exports = exports
        self._answers = answers
        self._read_only = read_only
        self._announce = announce

    @property
    def applications(self) -> tuple[int, ...]:
        """The Applications that have a key of the Integration API each, by their ids."""
        return self._client.applications

    async def call(self, name: str, arguments: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Run one operation and return its shaped answer.

        Args:
            name: the operation's name, or an alias of it.
            arguments: path, query and body arguments side by side.
            caller: who makes the call, and who can be asked for a confirmation.

        Raises:
            CallError: the call did not succeed, or may not be made.
        """
        operation = self._resolve(name)
        async with self._admitted(operation, arguments, caller) as (sent, record):
            return await self._answer(operation, sent, caller, record)

    async def whole(
        self, name: str, arguments: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        """Run one operation and return all of its answer, but for what is empty or hidden in it.

        It is for who picks from answers: other code of this server, a script, a person with a
        wide screen. Without `fields` it has every field. An export is as `call` returns it.

        Raises:
            CallError: the call did not succeed, or may not be made.
        """
        operation = self._resolve(name)
        async with self._admitted(operation, arguments, caller) as (sent, record):
            if operation.answer == "csv":
                return await self._export(operation, sent, caller, record)
            answer, _ = await self._answered(operation, sent, caller, record)
            return whole(answer, arguments.get(FIELDS, ()))

    def offers(self, name: str) -> bool:
        """Tell whether the API that an operation belongs to is configured."""
        try:
            self._client.check(self._resolve(name))
        except CallError:
            return False
        return True

    def check(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Refuse the arguments that a call of an operation would be refused for.

        Raises:
            CallError: `invalid_arguments`.
        """
        _validate(self._resolve(name), arguments)

    @asynccontextmanager
    async def begun(
        self, tool: Tool, arguments: Mapping[str, Any], caller: Caller
    ) -> AsyncIterator[Record]:
        """Begin a call: it is allowed here, its arguments are right, and its end is recorded.

        Raises:
            CallError: `blocked`, `not_configured` or `invalid_arguments`.
        """
        if self._read_only and tool.risk != "read":
            raise CallError(
                "blocked",
                f"{tool.name} was not called: this server was started with --read-only.",
                hint="Only reads can be called here.",
            )
        async with self._recorder.recording(tool, arguments, caller) as record:
            if isinstance(tool, Operation):
                self._client.check(tool, _application(tool, arguments))
            _validate(tool, arguments)
            yield record

    @asynccontextmanager
    async def agreed(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        caller: Caller,
        record: Record,
        preview: Preview,
    ) -> AsyncIterator[Passage | None]:
        """Have a person agree to a call, if it needs that, and note when its outcome is known.

        It is known at the end, unless this process ends before.

        Raises:
            CallError: nobody agreed.
        """
        deployment = self._client.deployment(tool)
        record.passage = passage = await self._gate.admit(
            tool, arguments, caller, deployment=deployment, preview=preview
        )
        try:
            yield passage
        except CallError:
            await self._gate.close(passage)
            raise
        await self._gate.close(passage)

    def _resolve(self, name: str) -> Operation:
        operation = self._catalog.find(name)
        if not isinstance(operation, Operation):
            near = " or ".join(self._catalog.nearest(name))
            raise CallError(
                "not_found",
                f"There is no operation {one_line(name, 80)!r}.",
                hint=f"The nearest are {near}. find_operations searches all of them.",
            )
        return operation

    @asynccontextmanager
    async def _admitted(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller
    ) -> AsyncIterator[tuple[Mapping[str, Any], Record]]:
        """Yield what is to be sent, once nothing stands against it any more."""
        async with (
            self.begun(operation, arguments, caller) as record,
            self._contents(operation, arguments, record) as (shown, sent),
            self.agreed(operation, shown, caller, record, self._preview),
        ):
            yield sent, record

    @asynccontextmanager
    async def _contents(
        self, operation: Operation, arguments: Mapping[str, Any], record: Record
    ) -> AsyncIterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Yield the arguments as they are confirmed, and as they are sent.

        The CSV of an import is confirmed by what is known of it, and sent from where it is.
        """
        columns = operation.body.columns if operation.body else None
        if columns is None:
            yield arguments, arguments
            return
        async with self._import_files.opened(arguments) as opened:
            found = await anyio.to_thread.run_sync(csv_problems, columns, opened.source)
            _refuse(operation, found)
            rest = {name: value for name, value in arguments.items() if name != "csvPath"}
            record.file = opened.content if "csvPath" in arguments else None
            yield rest | {"csv": opened.content}, rest | {"csv": opened.source}

    async def _answer(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller, record: Record
    ) -> dict[str, Any]:
        """Send what was admitted, and return what the caller is shown of the answer."""
        if operation.answer == "csv":
            return await self._export(operation, arguments, caller, record)
        answer, pages = await self._answered(operation, arguments, caller, record)
        shaped = shape(operation, arguments, answer)
        return self._whole(operation, caller, described(shaped, pages, arguments))

    async def _answered(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller, record: Record
    ) -> tuple[Answer, Pages | None]:
        """Return the answer, of a list the pages that were asked for, and what was read of it."""
        if FETCH_ALL in arguments:
            send = partial(self._send, operation)
            answer, pages = await fetch_all(operation, arguments, send, caller.progress)
        else:
            answer, pages = await self._send(operation, arguments, caller.progress), None
        record.status = answer.status
        return answer, pages

    def _whole(self, operation: Operation, caller: Caller, shaped: Shaped) -> dict[str, Any]:
        """Return what is shown, with the resource that holds the rest of what was cut."""
        if shaped.whole is None:
            return shaped.content
        people = names_people(operation)
        kept = self._answers.keep(shaped.whole, operation.name, caller.principal, people=people)
        page = shaped.content.get("page", {})
        return {**shaped.content, "page": {**page, "whole": kept.uri}}

    async def _export(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Caller, record: Record
    ) -> dict[str, Any]:
        """Have the answer written to a file, and return what is in it."""
        async with self._exports.receiving(caller.progress) as draft:
            answer = await self._send(operation, arguments, caller.progress, draft)
            record.status = answer.status
            export = await self._exports.keep(draft, operation.name, caller.principal)
            self._announce(operation, arguments, None)
            return shape_export(export, draft.beginning)

    async def _send(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        progress: Progress = silent,
        sink: Sink | None = None,
    ) -> Answer:
        request = build(operation, arguments)
        answer, happened = None, operation.risk != "read"
        try:
            answer = await self._client.send(operation, request, progress=progress, sink=sink)
        except CallError as error:
            happened = happened and error.kind == "outcome_unknown"
            raise
        finally:  # also when the caller has lost patience: it may have arrived
            if happened:
                self._announce(operation, arguments, answer and answer.body)
        return answer

    async def _preview(
        self, read: str, arguments: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> Any:
        """Read what a call is about to change; the read's path arguments are among the call's."""
        operation = self._catalog.operations[read]
        named = {*operation.path_arguments, *operation.reserved}
        known = {name: value for name, value in arguments.items() if name in named}
        return (await self._send(operation, known | dict(extra))).body


def _application(operation: Operation, arguments: Mapping[str, Any]) -> object:
    """Return the Application whose key the call asks for; None where upstream has no say in it."""
    return arguments.get(APPLICATION) if APPLICATION in operation.reserved else None


def _validate(tool: Tool, arguments: Mapping[str, Any]) -> None:
    found = problems(tool, arguments, reserved=True)
    fields = arguments.get(FIELDS, ())
    nowhere = []
    if fields and not found and isinstance(tool, Operation):
        nowhere = unknown(fields_of(tool), fields)
    _refuse(tool, [*found, *contradictions(arguments), *nowhere])


def _refuse(tool: Tool, found: Sequence[Problem]) -> None:
    if found:
        raise CallError(
            "invalid_arguments",
            f"{tool.name} was not called: {len(found)} of its arguments are wrong."
            if len(found) > 1
            else f"{tool.name} was not called: one of its arguments is wrong.",
            details=[asdict(problem) for problem in found],
            hint="Correct them and call again.",
        )
