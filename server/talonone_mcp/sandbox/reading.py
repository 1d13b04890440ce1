"""Turns an HTTP request into the arguments of an operation, as upstream reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request

from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.catalog.validation import problems
from talonone_mcp.sandbox.handling import UpstreamError


class Router:
    """Finds the operation of a request line."""

    def __init__(self, catalog: Catalog) -> None:
        self._operations: dict[tuple[str, int], list[Operation]] = {}
        for operation in catalog:
            parts = operation.path.split("/")
            self._operations.setdefault((operation.method, len(parts)), []).append(operation)
        for group in self._operations.values():  # a fixed segment goes before a placeholder
            group.sort(key=lambda operation: len(operation.path_arguments))

    def find(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation and its path arguments.

        Args:
            method: the HTTP method.
            raw_path: the path, still percent-encoded: an encoded slash is no separator.

        Raises:
            UpstreamError: 404, when no operation has this request line.
        """
        parts = raw_path.split("/")
        for operation in self._operations.get((method, len(parts)), ()):
            values = dict(_match(operation.path.split("/"), parts))
            if "" not in values:
                return operation, values
        raise UpstreamError(404, f"no such endpoint: {method} {unquote(raw_path)}")


def _match(pattern: Sequence[str], parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the placeholders' values; an entry named "" where the path does not match."""
    for expected, actual in zip(pattern, parts, strict=True):
        if expected.startswith("{"):
            yield expected[1:-1], unquote(actual)
        elif expected != actual:
            yield "", actual


async def read(
    request: Request, operation: Operation, in_path: Mapping[str, str]
) -> dict[str, Any]:
    """Return the arguments of a request, side by side and of their types.

    Raises:
        UpstreamError: 400, saying where the request is not what the operation takes.
    """
    arguments: dict[str, Any] = {}
    for name, text in (*in_path.items(), *_in_query(request, operation)):
        arguments[name] = _typed(operation, name, text)
    body = await _body(request, operation)
    if operation.body and operation.body.whole:
        arguments[operation.body.whole] = body
    else:
        arguments |= body
    for each in problems(operation, arguments):
        place = "parameter" if each.at in (*in_path, *operation.query) else "pointer"
        at = each.at if place == "parameter" else f"/{each.at.replace('.', '/')}"
        raise UpstreamError(400, f"{each.at} {each.problem}", **{place: at})
    return arguments


def _in_query(request: Request, operation: Operation) -> Iterator[tuple[str, Any]]:
    """Yield the query's parameters; upstream passes over those that it does not know."""
    repeated: dict[str, list[str]] = {}
    for name, text in parse_qsl(request.url.query, keep_blank_values=True):
        repeated.setdefault(name, []).append(text)
    for name, texts in repeated.items():
        if name not in operation.query:
            continue
        if operation.input_schema["properties"][name]["type"] != "array":
            yield name, texts[-1]
        elif name in operation.joined:
            yield name, texts[-1].split(",")
        else:
            yield name, texts


def _typed(operation: Operation, name: str, text: Any) -> Any:
    """Read a parameter's text as its schema says; text that is not of the type stays as it is."""
    kind = operation.input_schema["properties"][name]["type"]
    if kind in ("integer", "number", "boolean"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


async def _body(request: Request, operation: Operation) -> dict[str, Any]:
    if operation.body is None:
        return {}
    if operation.body.file:
        return {"csv": await _file(request, operation.body.file)}
    content = await request.body()
    try:
        document = json.loads(content)
    except ValueError as error:
        raise UpstreamError(400, f"the body is no JSON: {error}", pointer="/") from None
    if not isinstance(document, dict):
        raise UpstreamError(400, "the body must be an object", pointer="/")
    return document


async def _file(request: Request, field: str) -> str:
    async with request.form() as form:
        upload = form.get(field)
        content = await upload.read() if upload and not isinstance(upload, str) else None
    if content is None:
        raise UpstreamError(400, f"the form has no file {field}", pointer=f"/{field}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise UpstreamError(400, "the file is no UTF-8 text", pointer=f"/{field}") from None
