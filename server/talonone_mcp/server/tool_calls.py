"""Answers `tools/call`. Not in `app`, because only the first call needs what it imports."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from mcp import MCPError, types
from mcp.server.context import ServerRequestContext

from talonone_mcp.calls.gate import Caller
from talonone_mcp.calls.principal import PRINCIPAL
from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.server.elicitation import InputRequired, OpenQuestions, person_behind
from talonone_mcp.server.reporting import progress_to
from talonone_mcp.server.resources import answer_link, export_link
from talonone_mcp.surface.dispatch import Dispatch


class Calls:
    """The calls of every client of this server."""

    def __init__(self, dispatch: Dispatch, catalog: Catalog) -> None:
        """Take what answers calls, and every operation and workflow."""
        self.executor = dispatch.executor
        self._dispatch = dispatch
        self._catalog = catalog
        self._questions = OpenQuestions()

    async def answer(
        self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Run a call and return its result: an answer, an error to act on, or a question."""
        person = person_behind(ctx, params, self._questions)
        caller = Caller(PRINCIPAL, _client_name(ctx), person, progress_to(ctx))
        name = params.name
        arguments: Mapping[str, Any] = params.arguments or {}
        try:
            name, arguments = self._dispatch.resolved(name, arguments)
            return self._result(name, await self._dispatch.call(name, arguments, caller))
        except InputRequired as asked:
            return asked.result
        except CallError as error:
            return self._result(name, error.as_dict(), is_error=True)
        except Exception:  # a fault of ours: its text is for whoever runs the server
            logging.getLogger(__name__).exception("%s failed", name)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; the log tells more.") from None

    async def read(
        self, ctx: ServerRequestContext[Any, Any], name: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Read something for a request that names no tool, and return all that may be shown of it.

        Raises:
            CallError: it cannot be had.
        """
        caller = Caller(PRINCIPAL, _client_name(ctx), progress=progress_to(ctx), via=ctx.method)
        return self._dispatch.shown(name, await self.executor.whole(name, arguments, caller))

    def _result(
        self, name: str, content: dict[str, Any], *, is_error: bool = False
    ) -> types.CallToolResult:
        tool = self._catalog.find(name)
        content = self._dispatch.shown(name, content)
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        blocks: list[types.ContentBlock] = [types.TextContent(text=text)]
        if isinstance(tool, Operation) and not is_error:
            if tool.answer == "csv":
                blocks.append(export_link(tool.name, content["export"]))
            elif whole := content.get("page", {}).get("whole"):
                blocks.append(answer_link(tool.name, whole))
        return types.CallToolResult(content=blocks, structured_content=content, is_error=is_error)


def _client_name(ctx: ServerRequestContext[Any, Any]) -> str:
    client = ctx.session.client_params.client_info if ctx.session.client_params else None
    return one_line(f"{client.name} {client.version}", 100) if client else "unknown"
