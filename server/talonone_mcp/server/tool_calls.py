"""Answers `tools/call`. Only the first call loads this module, so that starting stays fast."""

from __future__ import annotations

import json
import logging
from typing import Any

from mcp import MCPError, types
from mcp.server.context import ServerRequestContext

from talonone_mcp.calls.caller import Caller, QuestionOpenError
from talonone_mcp.core.catalog import Operation, Tool
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.server.elicitation import OpenQuestions, person_behind
from talonone_mcp.server.mcp_caller import caller_of
from talonone_mcp.server.resources import answer_link, export_link
from talonone_mcp.surface.dispatch import Dispatch

Context = ServerRequestContext[Any, Any]


class ToolCalls:
    """Answers the tool calls of all clients."""

    def __init__(self, dispatch: Dispatch, principal: str, clock: Clock) -> None:
        """Answer through `dispatch`, on behalf of `principal`; questions expire by `clock`."""
        self._dispatch = dispatch
        self._principal = principal
        self._questions = OpenQuestions(clock)

    async def answer(
        self, ctx: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Run a call and return its answer, an error to act on, or a question for the user."""
        person = person_behind(ctx, params, self._questions)
        caller = caller_of(ctx, self._principal, person=person)
        try:
            return await self._answer(params, caller)
        except QuestionOpenError as waiting:
            return self._questions.returned(waiting)
        except Exception:  # our own fault: the details are for whoever runs the server
            logging.getLogger(__name__).exception("%s failed", params.name)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; see the server's log.") from None

    async def _answer(
        self, params: types.CallToolRequestParams, caller: Caller
    ) -> types.CallToolResult:
        tool: Tool | None = None
        try:
            call = self._dispatch.resolve(params.name, params.arguments or {})
            tool = call.tool
            return self._result(tool, await self._dispatch.call(call, caller))
        except CallError as error:
            return self._result(tool, error.as_dict(), is_error=True)

    def _result(
        self, tool: Tool | None, content: dict[str, Any], *, is_error: bool = False
    ) -> types.CallToolResult:
        content = self._dispatch.shown(tool, content)
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        blocks: list[types.ContentBlock] = [types.TextContent(text=text)]
        if isinstance(tool, Operation) and not is_error:
            if tool.is_export:
                blocks.append(export_link(tool.name, content["export"]))
            elif uri := content.get("page", {}).get("whole"):
                blocks.append(answer_link(tool.name, uri))
        return types.CallToolResult(content=blocks, structured_content=content, is_error=is_error)
