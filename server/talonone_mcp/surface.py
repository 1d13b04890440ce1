"""Which tools a client is shown, and how each is described to it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from mcp import types

from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.catalog.model import Api


class SurfaceError(ValueError):
    """The choice of tools cannot be listed; the message says why."""


def listed_tools(
    catalog: Catalog, apis: AbstractSet[Api], toolsets: Sequence[str] | None = None
) -> list[types.Tool]:
    """Return the tools to list, in the catalog's order.

    Args:
        catalog: every operation.
        apis: those that are configured; an operation of another is not listed.
        toolsets: whose operations to list; None for all.

    Raises:
        SurfaceError: there is no such toolset.
    """
    for name in toolsets or ():
        if name not in catalog.toolsets:
            near = difflib.get_close_matches(name, catalog.toolsets, n=1)
            known = f"did you mean {near[0]}?" if near else ", ".join(catalog.toolsets)
            raise SurfaceError(f"--toolsets: there is no toolset {name!r}; {known}")
    return [
        as_tool(operation)
        for operation in catalog
        if operation.api in apis and (toolsets is None or operation.toolset in toolsets)
    ]


def as_tool(operation: Operation) -> types.Tool:
    """Describe one operation as an MCP tool."""
    return types.Tool(
        name=operation.name,
        title=operation.title,
        description=operation.description,
        input_schema=operation.input_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=operation.risk == "read",
            destructive_hint=operation.risk == "destructive",
            idempotent_hint=operation.idempotent,
            open_world_hint=False,
        ),
    )
