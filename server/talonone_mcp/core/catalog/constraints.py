"""Checks the rules of an operation: what its schema cannot say about the arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.core.catalog.json_schema import parse_time, satisfies
from talonone_mcp.core.catalog.model import Tool
from talonone_mcp.core.catalog.problems import Problem


def broken(tool: Tool, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each rule that the arguments break.

    Arguments that the schema refuses break no rule about times: what cannot be read is not
    compared.
    """
    for rule in tool.rules:
        if rule.must is not None and not satisfies(rule.must, arguments):
            yield Problem(_place(tool, rule.say), rule.say)
        if rule.order is not None:
            yield from _out_of_order(*rule.order, arguments)


def _place(tool: Tool, message: str) -> str:
    """Return the argument that a message is about: the first that it names."""
    named = (word for word in re.findall(r"\w+", message))
    return next((w for w in named if w in tool.input_schema["properties"]), "arguments")


def _out_of_order(first: str, second: str, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    earlier, later = (parse_time(_value(arguments, path)) for path in (first, second))
    if earlier and later and earlier > later:
        yield Problem(first, f"must not be later than {second}")


def _value(arguments: Mapping[str, Any], path: str) -> object:
    value: Any = arguments
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
