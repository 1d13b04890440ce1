"""Check a tool's constraints: what its schema cannot say about the arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.core.catalog.json_schema import parse_time, satisfies
from talonone_mcp.core.catalog.model import Tool
from talonone_mcp.core.catalog.problems import Problem


def broken(tool: Tool, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each constraint that the arguments break.

    Times that cannot be parsed are not compared; the schema reports them.
    """
    for constraint in tool.constraints:
        if constraint.must is not None and not satisfies(constraint.must, arguments):
            yield Problem(_argument_named_in(tool, constraint.say), constraint.say)
        if constraint.order is not None:
            yield from _out_of_order(*constraint.order, arguments)


def _argument_named_in(tool: Tool, message: str) -> str:
    """Return the first argument that a message names, or "arguments" if it names none."""
    words = re.findall(r"\w+", message)
    return next((word for word in words if word in tool.input_schema["properties"]), "arguments")


def _out_of_order(first: str, second: str, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    earlier, later = (parse_time(_value(arguments, path)) for path in (first, second))
    if earlier and later and earlier > later:
        yield Problem(first, f"must not be later than {second}")


def _value(arguments: Mapping[str, Any], path: str) -> object:
    value: Any = arguments
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
