"""What the doors do with their arguments. Not in `doors`, because only a call needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.json_schema import validator
from talonone_mcp.core.catalog.problems import explain
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.surface.doors import FIND, READ, RUN, SCHEMAS, USUAL, described
from talonone_mcp.surface.search import Search


class DoorCalls:
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
        self._index = self._index or Search(self._catalog, read_only=self._read_only)
        found = self._index.find(arguments["query"], arguments.get("limit", USUAL), toolset)
        if found:
            return {"operations": [described(each) for each in found]}
        return {
            "operations": [],
            "hint": "Nothing fits. Use other words, in English, or search one toolset: "
            + ", ".join(self._catalog.toolsets),
        }

    def operation(self, door: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the name and the arguments of the operation that a door is asked to call.

        Raises:
            CallError: `invalid_arguments`, when they are not what the door takes, or when
                `read_operation` is to do anything but read.
        """
        _check(door, arguments)
        name, given = arguments["name"], arguments.get("arguments", {})
        tool = self._catalog.find(name)
        if door == READ and tool and tool.risk != "read":
            raise CallError(
                "invalid_arguments",
                f"{tool.name} was not called: it changes something, and {READ} only reads.",
                hint=f"{RUN} calls it." if not self._read_only else "This server only reads.",
            )
        return name, given


def _check(door: str, arguments: Mapping[str, Any]) -> None:
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
