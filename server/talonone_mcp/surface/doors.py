"""The three tools through which a model reaches every operation without being shown them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mcp import types

from talonone_mcp.core.catalog import Catalog, Tool
from talonone_mcp.core.catalog.signature import signature
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line

if TYPE_CHECKING:
    from talonone_mcp.surface.search import Search

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
        "call": READ if tool.is_read else RUN,
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


class Doors:
    """What the doors do with their arguments."""

    def __init__(self, catalog: Catalog, *, read_only: bool) -> None:
        """Take the operations that the doors lead to.

        Args:
            catalog: every operation.
            read_only: whether the doors lead to reads alone.
        """
        self._catalog = catalog
        self._read_only = read_only
        self._index: Search | None = None

    def find(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Answer `find_operations`.

        Raises:
            CallError: `invalid_arguments`.
        """
        _check(FIND, arguments)
        toolset = arguments.get("toolset")
        if toolset is not None and toolset not in self._catalog.toolsets:
            known = ", ".join(self._catalog.toolsets)
            raise CallError(
                "invalid_arguments",
                f"There is no toolset {one_line(toolset, 80)!r}.",
                details=[{"at": "toolset", "problem": f"must be one of {known}"}],
                hint="Leave toolset out to search everywhere.",
            )
        from talonone_mcp.surface.search import Search  # noqa: PLC0415 - only a search needs it

        self._index = self._index or Search(self._catalog, read_only=self._read_only)
        found = self._index.find(arguments["query"], arguments.get("limit", USUAL), toolset)
        if found:
            return {"operations": [described(each) for each in found]}
        return {
            "operations": [],
            "hint": "Nothing fits. Use other words, in English, or search one toolset: "
            + ", ".join(self._catalog.toolsets),
        }

    def opened(self, door: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the name and the arguments of the operation that a door is asked to call.

        Raises:
            CallError: `invalid_arguments`, when they are not what the door takes, or when
                `read_operation` is to do anything but read.
        """
        _check(door, arguments)
        name, given = arguments["name"], arguments.get("arguments", {})
        tool = self._catalog.find(name)
        if door == READ and tool and not tool.is_read:
            raise CallError(
                "invalid_arguments",
                f"{tool.name} was not called: it changes something, and {READ} only reads.",
                hint=f"{RUN} calls it." if not self._read_only else "This server only reads.",
            )
        return name, given


def _check(door: str, arguments: Mapping[str, Any]) -> None:
    from talonone_mcp.core.catalog.json_schema import validator  # noqa: PLC0415 - only a call
    from talonone_mcp.core.catalog.problems import explain  # noqa: PLC0415 - needs these

    errors = validator(SCHEMAS[door]).iter_errors(dict(arguments))
    problems = [asdict(problem) for error in errors for problem in explain(error)]
    if problems:
        hint = "Give the operation as name, and all of its arguments inside arguments."
        raise CallError(
            "invalid_arguments",
            f"{door} was not called with what it takes.",
            details=problems,
            hint="Correct them and call again." if door == FIND else hint,
        )
