"""Which tools a client is shown, and how each is described to it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from mcp import types

from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.catalog.model import Api

_REPEATABLE = ("GET", "PUT", "DELETE")  # RFC 9110 section 9.2.2


def listed_tools(catalog: Catalog, apis: AbstractSet[Api]) -> list[types.Tool]:
    """Return the tools of the APIs that are configured, in the catalog's order."""
    return [as_tool(operation) for operation in catalog if operation.api in apis]


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
            idempotent_hint=operation.risk == "read" or operation.method in _REPEATABLE,
            open_world_hint=False,
        ),
    )
