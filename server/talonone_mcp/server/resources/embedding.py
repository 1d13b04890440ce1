"""Attaches resources to a prompt as messages."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
from mcp import types

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.server.resources import reading
from talonone_mcp.server.resources.kinds import NoResourceError, UnreadableError
from talonone_mcp.server.resources.resource_reader import ResourceReader

_MAX_PROBLEM_CHARS = 200


async def embedded(reader: ResourceReader, uris: Iterable[str]) -> list[types.PromptMessage]:
    """Return each resource as a message, or a line that says why it is not attached."""
    deadline = anyio.current_time() + reader.limits.embed_timeout_s
    contents = [await _content(reader, uri, deadline) for uri in uris]
    return [types.PromptMessage(role="user", content=content) for content in contents]


async def _content(reader: ResourceReader, uri: str, deadline: float) -> types.ContentBlock:
    problem = "no answer in time"
    with anyio.CancelScope(deadline=deadline):
        try:
            [contents] = (await reading.read(reader, uri)).contents
            if isinstance(contents, types.TextResourceContents):
                if len(contents.text) <= reader.limits.embed_chars:
                    return types.EmbeddedResource(resource=contents)
                problem = f"it is too long ({len(contents.text):,} characters); read what you need"
        except CallError as error:
            problem = error.message
        except (NoResourceError, UnreadableError) as error:
            problem = str(error)
    name, why = one_line(uri, 100), one_line(problem, _MAX_PROBLEM_CHARS)
    return types.TextContent(text=f"(The resource {name} is not attached: {why})")
