"""Answers `tools/call`. Not in `app`, because only the first call needs what it imports."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from mcp import MCPError, types
from mcp.server.context import ServerRequestContext

from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.client.errors import CallError
from talonone_mcp.csv_masking import mask_csv
from talonone_mcp.dispatch import Dispatch
from talonone_mcp.elicitation import InputRequired, OpenQuestions, person_behind
from talonone_mcp.gate import Caller
from talonone_mcp.masking import mask_personal, names_people
from talonone_mcp.principal import PRINCIPAL
from talonone_mcp.reporting import progress_to
from talonone_mcp.resources import answer_link, export_link
from talonone_mcp.text import one_line


class Calls:
    """The calls of every client of this server."""

    def __init__(self, dispatch: Dispatch, catalog: Catalog, *, masked: bool = False) -> None:
        """Take what calls need.

        Args:
            dispatch: answers them.
            catalog: every operation and workflow.
            masked: whether personal data is taken out of what is shown.
        """
        self.executor = dispatch.executor
        self._dispatch = dispatch
        self._catalog = catalog
        self._masked = masked
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

    def _result(
        self, name: str, content: dict[str, Any], *, is_error: bool = False
    ) -> types.CallToolResult:
        tool = self._catalog.find(name)
        if self._masked:
            if isinstance(content.get("csv"), str):
                content = content | {"csv": mask_csv(content["csv"])}
            content = mask_personal(content, people=tool is not None and names_people(tool))
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
