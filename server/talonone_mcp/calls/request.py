"""Builds a call's upstream request: where each argument goes, and in what form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.application_keys import APPLICATION
from talonone_mcp.upstream.http_messages import Request

_MAX_EXACT_INT = 2**53  # floats represent every integer up to here exactly


def build(operation: Operation, arguments: Mapping[str, Any]) -> Request:
    """Return the request for validated arguments.

    A path value stays one segment, whatever characters it contains. Text, including dates, is sent
    unchanged.
    """
    values = {
        name: _integral(value)
        for name, value in arguments.items()
        if name not in operation.reserved
    }
    path = operation.path
    for name in operation.path_arguments:
        path = path.replace(f"{{{name}}}", quote(_text(values.pop(name)), safe=""))
    in_query = [name for name in operation.query if name in values]
    query = "&".join(
        pair for name in in_query for pair in _pairs(operation, name, values.pop(name))
    )
    headers = {
        header: _text(values.pop(name))
        for name, header in operation.headers.items()
        if name in values
    }
    secrets = tuple(_text(values[name]) for name in operation.secrets if name in values)
    application = arguments.get(APPLICATION) if APPLICATION in operation.reserved else None
    request = Request(path, query, headers=headers, secrets=secrets, application=application)
    body = operation.body
    if body is None or body.credentials:
        return request
    if body.file:
        return replace(request, content=values["csv"], form_field=body.file)
    document = values.get(body.whole, {}) if body.whole else values
    return replace(request, content=json.dumps(document, ensure_ascii=False))


def _pairs(operation: Operation, name: str, value: Any) -> Iterator[str]:
    """Yield an argument's query pairs; a list repeats the name unless the operation joins it."""
    if name in operation.dotted:
        for key, item in value.items():
            yield f".{quote(key, safe='')}={quote(_text(item), safe='')}"
        return
    values = value if isinstance(value, list) else [value]
    items = [quote(_text(item), safe="") for item in values]
    if name in operation.joined and items:
        items = [",".join(items)]
    yield from (f"{name}={item}" for item in items)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _integral(value: Any) -> Any:
    """Return 42.0 as 42: JSON Schema treats them alike, upstream's parser does not."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT_INT:
        return int(value)
    if isinstance(value, list):
        return [_integral(item) for item in value]
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    return value
