"""Finds a resource by its URI and reads it."""

from __future__ import annotations

from itertools import chain

from mcp import types

from talonone_mcp.core.text import one_line
from talonone_mcp.server.resources.account import ACCOUNT
from talonone_mcp.server.resources.kinds import Kind, NoResourceError
from talonone_mcp.server.resources.resource_reader import ResourceReader
from talonone_mcp.server.resources.stored import KEPT
from talonone_mcp.server.resources.toolsets import TOOLSETS

KINDS = (*ACCOUNT, *TOOLSETS, *KEPT)


async def read(reader: ResourceReader, uri: str) -> types.ReadResourceResult:
    """Read one resource.

    Raises:
        NoResourceError: it does not exist.
        UnreadableError: it cannot be read in this way.
        CallError: upstream did not return it.
    """
    kind = kind_of(uri)
    if kind is None:
        known = ", ".join(str(each.template) for each in KINDS)
        raise NoResourceError(f"There is no resource {one_line(uri, 100)!r}. Resources: {known}.")
    text = await kind.read(reader, kind.template.match(uri) or {})
    contents = types.TextResourceContents(uri=uri, mime_type=kind.mime_type, text=text)
    return types.ReadResourceResult(contents=[contents], ttl_ms=kind.fresh, cache_scope=kind.scope)


def kind_of(uri: str) -> Kind | None:
    """Return the kind to which a URI or URI template belongs."""
    named = (kind for kind in KINDS if str(kind.template) == uri)
    matching = (kind for kind in KINDS if kind.template.match(uri) is not None)
    return next(chain(named, matching), None)
