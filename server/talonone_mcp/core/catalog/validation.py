"""Checks the arguments of a call against the operation's schema and rules, all problems at once."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from talonone_mcp.core.catalog.constraints import broken
from talonone_mcp.core.catalog.json_schema import validator
from talonone_mcp.core.catalog.model import Tool
from talonone_mcp.core.catalog.problems import Problem, explain, join

_SURROGATE = re.compile("[\ud800-\udfff]")


def problems(tool: Tool, arguments: Mapping[str, Any], *, reserved: bool = False) -> list[Problem]:
    """Return everything that is wrong with `arguments`; an empty list when the call may go on.

    Args:
        tool: what is to be called.
        arguments: of the call.
        reserved: whether the engine's own arguments are accepted beside those of the schema.
    """
    errors = _validator_of(tool, reserved).iter_errors(dict(arguments))
    found = [
        *_unsendable(arguments, ""),
        *itertools.chain.from_iterable(explain(error, tool.secrets) for error in errors),
        *_no_segments(tool, arguments),
        *broken(tool, arguments),
    ]
    readable = (Problem(_readable(each.at), _readable(each.problem)) for each in found)
    return list(dict.fromkeys(readable))


@lru_cache(maxsize=2048)  # every operation of a few catalogs
def _validator_of(tool: Tool, reserved: bool) -> Draft202012Validator:
    schema = tool.input_schema
    if reserved:
        schema = {**schema, "properties": {**schema["properties"], **tool.reserved}}
    return validator(schema)


def _no_segments(tool: Tool, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for name in tool.path_arguments:
        if arguments.get(name) in ("", ".", ".."):
            yield Problem(
                name, "must not be empty, '.' or '..', because it is one segment of a path"
            )


def _unsendable(value: object, at: str) -> Iterator[Problem]:
    """Yield what JSON cannot carry: numbers that are not finite, text that is not Unicode."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unsendable(key, join(at, key))
            yield from _unsendable(item, join(at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unsendable(item, f"{at}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(at, "must be a finite number")
    elif isinstance(value, str) and _SURROGATE.search(value):
        yield Problem(at, "is not valid Unicode text (it has a lone surrogate)")


def _readable(text: str) -> str:
    """Escape what no UTF-8 answer could carry, so that the message itself can be sent."""
    return text.encode("utf-8", "backslashreplace").decode()
