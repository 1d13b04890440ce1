"""Answers `tools/call`. Not in `app`, because only the first call needs what it imports."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from typing import Any

from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from starlette.types import ASGIApp

from talonone_mcp.approvals.sqlite import NAME as LEDGER
from talonone_mcp.approvals.sqlite import SqliteLedger
from talonone_mcp.audit import AuditLog
from talonone_mcp.catalog import Catalog
from talonone_mcp.client.errors import CallError
from talonone_mcp.client.transport import Client, open_client
from talonone_mcp.csv_masking import mask_csv
from talonone_mcp.door_calls import DoorCalls
from talonone_mcp.doors import FIND, READ, RUN
from talonone_mcp.elicitation import InputRequired, OpenQuestions, person_behind
from talonone_mcp.executor import Executor
from talonone_mcp.gate import Caller, Gate
from talonone_mcp.imports import ImportFiles
from talonone_mcp.masking import mask_personal, names_people
from talonone_mcp.principal import PRINCIPAL
from talonone_mcp.recorder import Recorder
from talonone_mcp.reporting import progress_to
from talonone_mcp.resources import Sources, answer_link, export_link
from talonone_mcp.settings import Settings
from talonone_mcp.text import one_line


class Calls:
    """The calls of every client of this server."""

    def __init__(
        self,
        executor: Executor,
        catalog: Catalog,
        doors: DoorCalls,
        mask: Callable[..., Any] | None = None,
    ) -> None:
        """Take what calls need.

        Args:
            executor: runs them.
            catalog: every operation.
            doors: what the tools that are no operation do.
            mask: takes personal data out of what is shown; None to leave it in.
        """
        self._executor = executor
        self._catalog = catalog
        self._doors = doors
        self._mask = mask
        self._questions = OpenQuestions()

    async def answer(
        self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Run a call and return its result: an answer, an error to act on, or a question."""
        person = person_behind(ctx, params, self._questions)
        caller = Caller(PRINCIPAL, _client_name(ctx), person, progress_to(ctx))
        name, arguments = params.name, params.arguments or {}
        try:
            if name == FIND:
                return self._result(name, self._doors.find(arguments))
            if name in (READ, RUN):
                name, arguments = self._doors.operation(name, arguments)
            return self._result(name, await self._executor.call(name, arguments, caller))
        except InputRequired as asked:
            return asked.result
        except CallError as error:
            return self._result(name, error.as_dict(), is_error=True)
        except Exception:  # a fault of ours: its text is for whoever runs the server
            logging.getLogger(__name__).exception("%s failed", name)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; the log tells more.") from None

    def _result(
        self, name: str, content: dict[str, Any], *, is_error: bool = False
    ) -> types.CallToolResult:
        operation = self._catalog.find(name)
        exported = not is_error and operation is not None and operation.answer == "csv"
        if self._mask:
            if isinstance(content.get("csv"), str):
                content = content | {"csv": mask_csv(content["csv"])}
            people = operation is not None and names_people(operation)
            content = self._mask(content, people=people)
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        blocks: list[types.ContentBlock] = [types.TextContent(text=text)]
        if operation and exported:
            blocks.append(export_link(operation.name, content["export"]))
        elif operation and (whole := content.get("page", {}).get("whole")):
            blocks.append(answer_link(operation.name, whole))
        return types.CallToolResult(content=blocks, structured_content=content, is_error=is_error)


def _client_name(ctx: ServerRequestContext[Any, Any]) -> str:
    client = ctx.session.client_params.client_info if ctx.session.client_params else None
    return one_line(f"{client.name} {client.version}", 100) if client else "unknown"


@asynccontextmanager
async def open_calls(
    settings: Settings, catalog: Catalog, sources: Sources, upstream: ASGIApp | None = None
) -> AsyncIterator[Calls]:
    """Open the client, on the network or on the sandbox, and what answers calls with it.

    Args:
        settings: the configuration.
        catalog: every operation.
        sources: where exports, and the whole of an answer that was cut, are kept for reading.
        upstream: an application that answers in place of both.
    """
    with ExitStack() as stack:
        if settings.sandbox and upstream is None:
            from talonone_mcp.sandbox.app import Sandbox  # noqa: PLC0415 - no one else needs it

            upstream = stack.enter_context(closing(Sandbox(catalog)))
        login = catalog.operations["create_session"]
        async with open_client(settings, login, upstream) as client:
            mask = mask_personal if settings.mask_pii else None
            doors = DoorCalls(catalog, read_only=settings.read_only)
            yield Calls(_executor(settings, catalog, client, sources), catalog, doors, mask)


def _executor(settings: Settings, catalog: Catalog, client: Client, sources: Sources) -> Executor:
    ledger = SqliteLedger(settings.state_dir / LEDGER, lifetime=settings.approval_seconds)
    gate = Gate(settings.confirm, ledger, settings.thresholds)
    recorder = Recorder(AuditLog(settings.state_dir), reads=settings.audit_reads)
    return Executor(
        catalog,
        client,
        gate,
        recorder,
        import_files=ImportFiles(settings.import_folder, settings.state_dir),
        exports=sources.exports,
        answers=sources.answers,
        read_only=settings.read_only,
    )
