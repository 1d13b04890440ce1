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
from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.client.errors import CallError
from talonone_mcp.client.transport import Client, open_client
from talonone_mcp.elicitation import InputRequired, OpenQuestions, person_behind
from talonone_mcp.executor import Executor
from talonone_mcp.gate import Caller, Gate
from talonone_mcp.masking import mask_personal
from talonone_mcp.recorder import Recorder
from talonone_mcp.settings import Settings
from talonone_mcp.text import one_line

_PEOPLE = ("users", "scim")  # toolsets in whose answers a name is a person's
_NO_PEOPLE = ("list_scim_schemas", "list_scim_resource_types", "get_scim_service_provider_config")
PRINCIPAL = "local"  # only this machine's user can reach the server


class Calls:
    """The calls of every client of this server."""

    def __init__(
        self, executor: Executor, catalog: Catalog, mask: Callable[..., Any] | None = None
    ) -> None:
        """Take what calls need.

        Args:
            executor: runs them.
            catalog: every operation.
            mask: takes personal data out of what is shown; None to leave it in.
        """
        self._executor = executor
        self._catalog = catalog
        self._mask = mask
        self._questions = OpenQuestions()

    async def answer(
        self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Run a call and return its result: an answer, an error to act on, or a question."""
        person = person_behind(ctx, params, self._questions)
        caller = Caller(PRINCIPAL, _client_name(ctx), person)
        try:
            answer = await self._executor.call(params.name, params.arguments or {}, caller)
        except InputRequired as asked:
            return asked.result
        except CallError as error:
            return self._result(params.name, error.as_dict(), is_error=True)
        except Exception:  # a fault of ours: its text is for whoever runs the server
            logging.getLogger(__name__).exception("%s failed", params.name)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; the log tells more.") from None
        return self._result(params.name, answer)

    def _result(
        self, name: str, content: dict[str, Any], *, is_error: bool = False
    ) -> types.CallToolResult:
        if self._mask:
            operation = self._catalog.find(name)
            content = self._mask(content, people=operation is not None and _of_people(operation))
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return types.CallToolResult(
            content=[types.TextContent(text=text)], structured_content=content, is_error=is_error
        )


def _client_name(ctx: ServerRequestContext[Any, Any]) -> str:
    client = ctx.session.client_params.client_info if ctx.session.client_params else None
    return one_line(f"{client.name} {client.version}", 100) if client else "unknown"


def _of_people(operation: Operation) -> bool:
    return operation.toolset in _PEOPLE and operation.name not in _NO_PEOPLE


@asynccontextmanager
async def open_calls(
    settings: Settings, catalog: Catalog, upstream: ASGIApp | None = None
) -> AsyncIterator[Calls]:
    """Open the client, on the network or on the sandbox, and what answers calls with it."""
    with ExitStack() as stack:
        if settings.sandbox and upstream is None:
            from talonone_mcp.sandbox.app import Sandbox  # noqa: PLC0415 - no one else needs it

            upstream = stack.enter_context(closing(Sandbox(catalog)))
        login = catalog.operations["create_session"]
        async with open_client(settings, login, upstream) as client:
            mask = mask_personal if settings.mask_pii else None
            yield Calls(_executor(settings, catalog, client), catalog, mask)


def _executor(settings: Settings, catalog: Catalog, client: Client) -> Executor:
    ledger = SqliteLedger(settings.state_dir / LEDGER, lifetime=settings.approval_seconds)
    gate = Gate(settings.confirm, ledger, settings.thresholds)
    recorder = Recorder(AuditLog(settings.state_dir), reads=settings.audit_reads)
    return Executor(catalog, client, gate, recorder, settings.import_folder)
