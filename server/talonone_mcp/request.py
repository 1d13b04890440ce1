"""Builds the upstream request of a call: which argument goes where, and in what form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from talonone_mcp.catalog import Operation
from talonone_mcp.client.transport import Request

_EXACT = 2**53  # up to here every integer that a float can hold is exact


def build(operation: Operation, arguments: Mapping[str, Any]) -> Request:
    """Return the request for arguments that have passed validation.

    A value becomes one path segment whatever characters it holds. Text, dates included, goes out
    as it came in.
    """
    values = {name: _integral(value) for name, value in arguments.items()}
    path = operation.path
    for name in operation.path_arguments:
        path = path.replace(f"{{{name}}}", quote(_text(values.pop(name)), safe=""))
    query = "&".join(
        pair
        for name in operation.query
        if name in values
        for pair in _pairs(name, values.pop(name), joined=name in operation.joined)
    )
    body = operation.body
    if body is None:
        return Request(path, query)
    if body.file:
        return Request(path, query, content=values["csv"], field=body.file)
    document = values.get(body.whole, {}) if body.whole else values
    return Request(path, query, content=json.dumps(document, ensure_ascii=False))


def _pairs(name: str, value: object, *, joined: bool) -> Iterator[str]:
    """Yield the query pairs of one argument: a list repeats its name unless it is `joined`."""
    values = value if isinstance(value, list) else [value]
    items = [quote(_text(item), safe="") for item in values]
    if joined and items:
        items = [",".join(items)]
    yield from (f"{name}={item}" for item in items)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _integral(value: Any) -> Any:
    """Write 42.0 as 42: the same number to JSON Schema, but not to upstream's parser."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)
    if isinstance(value, list):
        return [_integral(item) for item in value]
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    return value
