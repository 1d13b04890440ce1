"""Resources that a prompt starts from, as messages of it."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
from mcp import types

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.server.resources import reading
from talonone_mcp.server.resources.kinds import NoResourceError, UnreadableError
from talonone_mcp.server.resources.resource_reader import ResourceReader

_SAID = 200  # characters of a problem


async def embedded(reader: ResourceReader, uris: Iterable[str]) -> list[types.PromptMessage]:
    """Return each resource as a message; where it cannot be had, a line that says so."""
    until = anyio.current_time() + reader.limits.embed_timeout_s
    contents = [await _content(reader, uri, until) for uri in uris]
    return [types.PromptMessage(role="user", content=content) for content in contents]


async def _content(reader: ResourceReader, uri: str, until: float) -> types.ContentBlock:
    problem = "no answer in time"
    with anyio.CancelScope(deadline=until):
        try:
            [contents] = (await reading.read(reader, uri)).contents
            if isinstance(contents, types.TextResourceContents):
                if len(contents.text) <= reader.limits.embed_chars:
                    return types.EmbeddedResource(resource=contents)
                problem = f"its {len(contents.text):,} characters are too many; read what is needed"
        except CallError as error:
            problem = error.message
        except (NoResourceError, UnreadableError) as error:
            problem = str(error)
    said = one_line(problem, _SAID)
    return types.TextContent(text=f"(The resource {one_line(uri, 100)} is not attached: {said})")
