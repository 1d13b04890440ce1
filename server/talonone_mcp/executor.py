"""The life of a call: resolve, validate, gate, send, shape, record. No other way leads upstream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.catalog.explain import Problem
from talonone_mcp.catalog.validation import problems
from talonone_mcp.client.errors import CallError
from talonone_mcp.client.transport import Answer, Client
from talonone_mcp.gate import Caller, Gate, Passage
from talonone_mcp.imports import csv_problems, with_csv
from talonone_mcp.recorder import Recorder
from talonone_mcp.request import build
from talonone_mcp.shape import shape


class Executor:
    """Runs operations for whoever asks: an MCP client, the terminal, another operation."""

    def __init__(
        self,
        catalog: Catalog,
        client: Client,
        gate: Gate,
        recorder: Recorder,
        import_folder: Path | None = None,
    ) -> None:
        """Take what calls need.

        Args:
            catalog: every operation.
            client: the way upstream.
            gate: what holds a call until a person confirmed it.
            recorder: what enters calls in the audit log.
            import_folder: below which an import may read a file; None when it may not.
        """
        self._catalog = catalog
        self._client = client
        self._gate = gate
        self._recorder = recorder
        self._import_folder = import_folder

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
        async with self._recorder.recording(operation, arguments, caller) as record:
            self._client.check(operation)
            arguments = self._validated(operation, arguments)
            record.passage = await self._gate.admit(
                operation,
                arguments,
                caller,
                deployment=self._client.deployment(operation),
                preview=self._preview,
            )
            answer = await self._send_admitted(operation, arguments, record.passage)
            record.status = answer.status
            return shape(operation, arguments, answer)

    def _resolve(self, name: str) -> Operation:
        operation = self._catalog.find(name)
        if operation is None:
            near = self._catalog.nearest(name)
            raise CallError(
                "not_found",
                f"There is no tool {name[:80]!r}.",
                hint=f"Did you mean {' or '.join(near)}?" if near else "tools/list shows them all.",
            )
        return operation

    def _validated(self, operation: Operation, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return arguments that may go out, an import's with the text of its file."""
        _refuse(operation, problems(operation, arguments))
        if operation.body and operation.body.columns:
            arguments = with_csv(arguments, self._import_folder)
            _refuse(operation, csv_problems(operation.body.columns, arguments["csv"]))
        return arguments

    async def _send_admitted(
        self, operation: Operation, arguments: Mapping[str, Any], passage: Passage | None
    ) -> Answer:
        """Send, and note in the ledger that the outcome is known: it is, unless we end here."""
        try:
            answer = await self._send(operation, arguments)
        except CallError:
            await self._gate.close(passage)
            raise
        await self._gate.close(passage)
        return answer

    async def _send(self, operation: Operation, arguments: Mapping[str, Any]) -> Answer:
        return await self._client.send(operation, build(operation, arguments))

    async def _preview(
        self, read: str, arguments: Mapping[str, Any], extra: Mapping[str, Any]
    ) -> Any:
        """Read what a call is about to change; the read's path arguments are among the call's."""
        operation = self._catalog.operations[read]
        known = {name: arguments[name] for name in operation.path_arguments if name in arguments}
        return (await self._send(operation, known | dict(extra))).body


def _refuse(operation: Operation, found: Sequence[Problem]) -> None:
    if found:
        raise CallError(
            "invalid_arguments",
            f"{operation.name} was not called: {len(found)} of its arguments are wrong."
            if len(found) > 1
            else f"{operation.name} was not called: one of its arguments is wrong.",
            details=[asdict(problem) for problem in found],
            hint="Correct them and call again.",
        )
