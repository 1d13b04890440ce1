"""Answers `tools/call`. Not in `app`, because only the first call needs what it imports."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from typing import Any

from mcp import MCPError, types
from mcp.server.context import ServerRequestContext

from talonone_mcp.catalog import Catalog
from talonone_mcp.client.errors import CallError
from talonone_mcp.client.transport import open_client
from talonone_mcp.elicitation import InputRequired, OpenQuestions, person_behind
from talonone_mcp.executor import Executor
from talonone_mcp.settings import Settings


class Calls:
    """The calls of every client of this server."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._questions = OpenQuestions()

    async def answer(
        self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Run a call and return its result: an answer, an error to act on, or a question."""
        person = person_behind(ctx, params, self._questions)
        try:
            answer = await self._executor.call(params.name, params.arguments or {}, person)
        except InputRequired as asked:
            return asked.result
        except CallError as error:
            return _result(error.as_dict(), is_error=True)
        except Exception:  # a fault of ours: its text is for whoever runs the server
            logging.getLogger(__name__).exception("%s failed", params.name)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; the log tells more.") from None
        return _result(answer)


def _result(content: dict[str, Any], *, is_error: bool = False) -> types.CallToolResult:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return types.CallToolResult(
        content=[types.TextContent(text=text)], structured_content=content, is_error=is_error
    )


@asynccontextmanager
async def open_calls(settings: Settings, catalog: Catalog) -> AsyncIterator[Calls]:
    """Open the client, on the network or on the sandbox, and what answers calls with it."""
    with ExitStack() as stack:
        upstream = None
        if settings.sandbox:
            from talonone_mcp.sandbox.app import Sandbox  # noqa: PLC0415 - no one else needs it

            upstream = stack.enter_context(closing(Sandbox(catalog)))
        login = catalog.operations["create_session"]
        async with open_client(settings, login, upstream) as client:
            yield Calls(Executor(catalog, client, settings.confirm, settings.import_folder))
