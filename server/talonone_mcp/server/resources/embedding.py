"""Resources that a prompt starts from, as messages of it."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
from mcp import types

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.server.account_lists import Read
from talonone_mcp.server.resources import reading
from talonone_mcp.server.resources.kinds import NoResourceError, Sources, UnreadableError

_CHARACTERS = 40_000  # of one resource, about 13,000 tokens; a longer one is named alone
_PATIENCE = 5.0  # seconds that all may take together
_SAID = 200  # characters of a problem


async def embedded(sources: Sources, read: Read, uris: Iterable[str]) -> list[types.PromptMessage]:
    """Return each resource as a message; where it cannot be had, a line that says so."""
    until = anyio.current_time() + _PATIENCE
    contents = [await _content(sources, read, uri, until) for uri in uris]
    return [types.PromptMessage(role="user", content=content) for content in contents]


async def _content(sources: Sources, read: Read, uri: str, until: float) -> types.ContentBlock:
    problem = "no answer in time"
    with anyio.CancelScope(deadline=until):
        try:
            [contents] = (await reading.read(sources, read, uri)).contents
            if isinstance(contents, types.TextResourceContents):
                if len(contents.text) <= _CHARACTERS:
                    return types.EmbeddedResource(resource=contents)
                problem = f"its {len(contents.text):,} characters are too many; read what is needed"
        except CallError as error:
            problem = error.message
        except (NoResourceError, UnreadableError) as error:
            problem = str(error)
    said = one_line(problem, _SAID)
    return types.TextContent(text=f"(The resource {one_line(uri, 100)} is not attached: {said})")
