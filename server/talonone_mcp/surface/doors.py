"""The three tools through which a model reaches every operation without being shown them all."""

from __future__ import annotations

from typing import Any

from mcp import types

from talonone_mcp.core.catalog import Tool
from talonone_mcp.core.catalog.signature import signature

FIND, READ, RUN = "find_operations", "read_operation", "run_operation"
MOST, USUAL = 20, 5  # operations that a search shows
_CALL = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "The operation."},
        "arguments": {"type": "object", "description": "As find_operations shows them."},
    },
    "required": ["name"],
    "additionalProperties": False,
}
_QUERY = {
    "type": "object",
    "properties": {
        "query": {
            "type": "string",
            "minLength": 1,
            "description": "What is to be done, in English words: refund points, lost card.",
        },
        "toolset": {"type": "string", "description": "Search this group alone."},
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    },
    "required": ["query"],
    "additionalProperties": False,
}
SCHEMAS = {FIND: _QUERY, READ: _CALL, RUN: _CALL}


def door_tools(*, read_only: bool) -> list[types.Tool]:
    """Return the doors as MCP tools; a server that only reads has no `run_operation`."""
    find = types.Tool(
        name=FIND,
        title="Find operations",
        description=(
            "Search all Talon.One operations: coupons, campaigns, customers, sessions, loyalty,"
            " cards, referrals, audiences, stores, achievements, users, logs and more. Returns the"
            " best matches with their arguments, ready to call by read_operation or"
            " run_operation."
        ),
        input_schema=_QUERY,
        annotations=_hints(reads=True),
    )
    read = types.Tool(
        name=READ,
        title="Read with any operation",
        description="Call an operation that only reads. It can change nothing.",
        input_schema=_CALL,
        annotations=_hints(reads=True),
    )
    run = types.Tool(
        name=RUN,
        title="Run any operation",
        description=(
            "Call any operation, one that changes or deletes included. A person confirms what"
            " cannot be undone before it runs."
        ),
        input_schema=_CALL,
        annotations=_hints(reads=False),
    )
    return [find, read] if read_only else [find, read, run]


def described(tool: Tool) -> dict[str, Any]:
    """Return what whoever is to call a tool through a door must know of it."""
    shown = {
        "name": tool.name,
        "risk": tool.risk,
        "description": tool.description,
        "arguments": signature(tool.input_schema),
        "call": READ if tool.risk == "read" else RUN,
    }
    if tool.confirm:
        when = "always" if tool.confirm.when is None else "for some arguments"
        shown["confirmed_by_a_person"] = when
    return shown


def _hints(*, reads: bool) -> types.ToolAnnotations:
    return types.ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=not reads,
        idempotent_hint=reads,
        open_world_hint=False,
    )
