"""Validate arguments against a tool's schema and constraints, reporting all problems at once."""

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
    """Return everything wrong with `arguments`; an empty list means that the call may proceed.

    Args:
        tool: the tool to call.
        arguments: the arguments of the call.
        reserved: whether they are those of a call, which has the tool's `reserved` arguments too
            and may name a part of what is sent; else they are those that upstream is sent.
    """
    errors = _validator_of(tool, reserved).iter_errors(dict(arguments))
    raw = [
        *_unsendable(arguments, ""),
        *itertools.chain.from_iterable(explain(error, tool.secrets) for error in errors),
        *_invalid_segments(tool, arguments),
        *broken(tool, arguments),
    ]
    encodable = (Problem(_encodable(each.at), _encodable(each.problem)) for each in raw)
    return list(dict.fromkeys(encodable))


@lru_cache(maxsize=2048)  # enough for every operation of a few catalogs
def _validator_of(tool: Tool, reserved: bool) -> Draft202012Validator:
    if not reserved:
        return validator(tool.sent_schema)
    schema = tool.input_schema
    return validator({**schema, "properties": {**schema["properties"], **tool.reserved}})


def _invalid_segments(tool: Tool, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for name in tool.path_arguments:
        if arguments.get(name) in ("", ".", ".."):
            yield Problem(name, "must not be empty, '.' or '..', because it is a path segment")


def _unsendable(value: object, at: str) -> Iterator[Problem]:
    """Yield what JSON cannot carry: non-finite numbers and invalid Unicode."""
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
        yield Problem(at, "is not valid Unicode: it contains a lone surrogate")


def _encodable(text: str) -> str:
    """Escape lone surrogates, so that the message can be sent as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
