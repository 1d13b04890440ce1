"""Turns an HTTP request into an operation's arguments, as upstream does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.validation import problems
from talonone_mcp.sandbox.ground.refusals import Flaw, RefusalError
from talonone_mcp.sandbox.ground.timestamps import normal

_MOST_JSON = 10_000_000  # bytes of a body
_MOST_CSV = 256_000_000  # bytes of a form with a file
_TYPES = ("application/json", "text/json")
_PLAIN = {"type", "description", "default", "minimum", "maximum"}
_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


async def read(
    request: Request, operation: Operation, in_path: Mapping[str, str]
) -> dict[str, Any]:
    """Return the typed arguments of a request in one dict, times in the store's format.

    Unknown properties are ignored, and null means not given.

    Raises:
        RefusalError: 400, naming everything that is invalid; 413 or 415, when the body is too large
            or of the wrong type.
    """
    arguments: dict[str, Any] = {}
    for name, text in (*in_path.items(), *_in_query(request, operation)):
        arguments[name] = _typed(operation, name, text)
    for name, header in operation.headers.items():
        if header in request.headers:
            arguments[name] = _typed(operation, name, request.headers[header])
    body = await _body(request, operation)
    if operation.body and operation.body.whole:
        arguments[operation.body.whole] = body
    else:
        known = operation.input_schema.get("properties", {})
        arguments |= {key: value for key, value in body.items() if key in known}
    if _is_plain(operation, arguments):
        return arguments
    arguments = _known(operation.input_schema, arguments)
    if wrong := [
        _flaw(operation, each.at, each.problem) for each in problems(operation, arguments)
    ]:
        raise RefusalError.of(400, wrong)
    given: dict[str, Any] = normal(operation.input_schema, arguments)
    if operation.body and operation.body.credentials:
        given |= _credentials(body)
    return given


def _credentials(body: Mapping[str, Any]) -> dict[str, str]:
    """Return a user's login. Models never send one, so the catalog does not name it."""
    if wrong := [name for name in ("email", "password") if not isinstance(body.get(name), str)]:
        flaws = [Flaw(f"{name} must be a text", {"pointer": f"/{name}"}) for name in wrong]
        raise RefusalError.of(400, flaws)
    return {"email": body["email"], "password": body["password"]}


def _is_plain(operation: Operation, arguments: Mapping[str, Any]) -> bool:
    """Return True if a read's arguments are valid at a glance; False decides nothing."""
    if operation.body or operation.rules:
        return False
    schema = operation.input_schema
    return all(name in arguments for name in schema.get("required", ())) and all(
        _is_plainly(schema["properties"][name], value) for name, value in arguments.items()
    )


def _is_plainly(schema: Mapping[str, Any], value: Any) -> bool:
    if not schema.keys() <= _PLAIN:
        return False
    if schema["type"] == "integer":
        least, most = schema.get("minimum", value), schema.get("maximum", value)
        return type(value) is int and least <= value <= most
    if schema["type"] == "boolean":
        return isinstance(value, bool)
    is_text = schema["type"] == "string" and isinstance(value, str) and value.isascii()
    return is_text and value not in ("", ".", "..")


def _flaw(operation: Operation, at: str, problem: str) -> Flaw:
    if at in (*operation.path_arguments, *operation.query):
        return Flaw(f"{at} {problem}", {"parameter": at})
    steps = at.replace("[", ".").replace("]", "").replace(".", "/")
    return Flaw(f"{at} {problem}", {"pointer": f"/{steps}"})


def _known(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a value without unknown properties and disallowed nulls."""
    if isinstance(value, list) and "items" in schema:
        return [_known(schema["items"], item) for item in value]
    if not isinstance(value, dict):
        return value
    known, closed = schema.get("properties", {}), schema.get("additionalProperties") is False
    return {
        key: _known(known.get(key, {}), item)
        for key, item in value.items()
        if (key in known or not closed) and (item is not None or key not in known)
    }


def _in_query(request: Request, operation: Operation) -> Iterator[tuple[str, Any]]:
    """Yield the query's known parameters; upstream ignores the others."""
    query = request.scope["query_string"].decode("latin-1")
    repeated: dict[str, list[str]] = {}
    dotted: dict[str, str] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        repeated.setdefault(name, []).append(text)
        if name.startswith("."):
            dotted[name[1:]] = text
    for name, texts in repeated.items():
        if name not in operation.query or name in operation.dotted:
            continue
        if operation.input_schema["properties"][name]["type"] != "array":
            yield name, texts[-1]
        elif name in operation.joined:
            yield name, texts[-1].split(",")
        else:
            yield name, texts
    if dotted:
        yield from ((name, dotted) for name in operation.dotted)


def _typed(operation: Operation, name: str, given: Any) -> Any:
    """Convert a parameter's text by its schema; invalid text stays as it is."""
    schema = operation.input_schema["properties"][name]
    if isinstance(given, list):
        return [_value(schema.get("items", {}).get("type"), text) for text in given]
    return _value(schema["type"], given)


def _value(kind: object, text: Any) -> Any:
    if kind == "boolean":
        return _BOOLEANS.get(text.lower(), text)
    if kind in ("integer", "number"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


async def _body(request: Request, operation: Operation) -> dict[str, Any]:
    if operation.body is None and request.method in ("GET", "DELETE"):
        return {}
    if operation.body and operation.body.file:
        return {"csv": await _file(request, operation.body.file)}
    content = await _bytes(request, _MOST_JSON)
    request.state.payload = content  # for the access log, refused or not
    if operation.body is None or not content:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind not in _TYPES and not kind.endswith("+json"):
        raise RefusalError(415, f"the body must be application/json, not {kind[:80]}")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, f"the body is no JSON: {error}", pointer="/") from None
    if not isinstance(document, dict):
        raise RefusalError(400, "the body must be an object", pointer="/")
    return document


async def _bytes(request: Request, most: int) -> bytes:
    """Read the body, up to the limit."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise RefusalError(413, f"the body has more than {most:,} bytes")
    return bytes(content)


async def _file(request: Request, field: str) -> str:
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise RefusalError(415, "the body must be multipart/form-data", pointer=f"/{field}")
    if int(request.headers.get("content-length", 0)) > _MOST_CSV:
        raise RefusalError(413, f"the body has more than {_MOST_CSV:,} bytes")
    try:
        async with request.form() as form:
            upload = form.get(field)
            content = await upload.read() if isinstance(upload, UploadFile) else upload
    except MultiPartException as error:
        raise RefusalError(400, f"the form cannot be read: {error}", pointer="/") from None
    if content is None:
        raise RefusalError(400, f"the form has no file {field}", pointer=f"/{field}")
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusalError(400, "the file is no UTF-8 text", line="1") from None
