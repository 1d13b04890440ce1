"""The doors: three tools that give a model every operation without listing them all."""

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
MAX_RESULTS, DEFAULT_RESULTS = 20, 5  # operations per search
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
            "description": "What to do, in English words: refund points, lost card.",
        },
        "toolset": {"type": "string", "description": "Search only this toolset."},
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_RESULTS,
            "default": DEFAULT_RESULTS,
        },
    },
    "required": ["query"],
    "additionalProperties": False,
}
SCHEMAS = {FIND: _QUERY, READ: _CALL, RUN: _CALL}


def door_tools(*, read_only: bool) -> list[types.Tool]:
    """Return the doors as MCP tools; a read-only server has no `run_operation`."""
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
        description="Call an operation that only reads. It cannot change anything.",
        input_schema=_CALL,
        annotations=_hints(reads=True),
    )
    run = types.Tool(
        name=RUN,
        title="Run any operation",
        description=(
            "Call any operation, including those that change or delete. A person confirms what"
            " cannot be undone before it runs."
        ),
        input_schema=_CALL,
        annotations=_hints(reads=False),
    )
    return [find, read] if read_only else [find, read, run]


def described(tool: Tool) -> dict[str, Any]:
    """Return what a caller must know to call a tool through a door."""
    description: dict[str, Any] = {
        "name": tool.name,
        "risk": tool.risk,
        "description": tool.description,
        "arguments": signature(tool.input_schema),
        "call": READ if tool.is_read else RUN,
    }
    if tool.impact:
        description["impact"] = list(dict.fromkeys(rule.kind for rule in tool.impact))
    return description


def _hints(*, reads: bool) -> types.ToolAnnotations:
    return types.ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=not reads,
        idempotent_hint=reads,
        open_world_hint=False,
    )


class Doors:
    """Answers calls to the doors."""

    def __init__(self, catalog: Catalog, *, read_only: bool) -> None:
        """Set up the doors.

        Args:
            catalog: the operations and workflows that the doors lead to.
            read_only: whether the doors lead only to reads.
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
        from talonone_mcp.surface.search import Search  # noqa: PLC0415 - slow import

        self._index = self._index or Search(self._catalog, read_only=self._read_only)
        limit = arguments.get("limit", DEFAULT_RESULTS)
        if matches := self._index.find(arguments["query"], limit, toolset):
            return {"operations": [described(each) for each in matches]}
        return {
            "operations": [],
            "hint": "Nothing matches. Use other English words, or search one toolset: "
            + ", ".join(self._catalog.toolsets),
        }

    def opened(self, door: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the name and arguments of the operation that a call to a door asks for.

        Raises:
            CallError: `invalid_arguments`, if the door rejects the arguments, or if
                `read_operation` is asked for more than a read.
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
    from talonone_mcp.core.catalog.json_schema import validator  # noqa: PLC0415 - slow import
    from talonone_mcp.core.catalog.problems import explain  # noqa: PLC0415 - slow import

    errors = validator(SCHEMAS[door]).iter_errors(dict(arguments))
    problems = [asdict(problem) for error in errors for problem in explain(error)]
    if problems:
        hint = "Pass the operation as name, and all of its arguments inside arguments."
        raise CallError(
            "invalid_arguments",
            f"{door} was called with invalid arguments.",
            details=problems,
            hint="Correct them and call again." if door == FIND else hint,
        )
