"""Hide secrets in what upstream answers: in documents at any depth, and in payloads within them.

A secret is known by the name of its field, by its place (a header's value), or by its form (a
token in an address). Placeholders of templates, empty values, truth values and counts stay.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import Any

from talonone_mcp.core.secret_names import is_plural, is_secret_name
from talonone_mcp.core.secret_texts import HIDDEN, hide_in_text, is_placeholder

_MAX_DEPTH = 100  # nested levels, as in the shaping of answers
_TOO_DEEP = "(nested too deeply to show)"
_HEADERS = re.compile(r"(?:.*[a-z_\-])?headers", re.IGNORECASE | re.DOTALL)
_HARMLESS_HEADERS = {
    "accept", "accept-encoding", "accept-language", "cache-control", "connection",
    "content-encoding", "content-language", "content-length", "content-type", "date", "etag",
    "host", "idempotency-key", "last-modified", "retry-after", "server", "traceparent",
    "user-agent", "vary", "x-correlation-id", "x-request-id",
}  # fmt: skip
_NAMES_OF_PAIRS = ("name", "key", "header", "path")  # beside `value`
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")  # the message log's payloads


def hide(value: Any, depth: int = 0) -> Any:
    """Return JSON from upstream with every secret in it replaced by `HIDDEN`."""
    if isinstance(value, str):
        return hide_text(value, depth)
    if not isinstance(value, (dict, list)):
        return value
    if depth > _MAX_DEPTH:
        return _TOO_DEEP
    if isinstance(value, list):
        return [hide(item, depth + 1) for item in value]
    named = _name_of_pair(value)
    return {
        shown: _hide_all(item, named, depth + 1)
        if key == "value" and is_secret_name(named)
        else _hide_under(key, item, depth + 1)
        for shown, (key, item) in zip(_keys(value), value.items(), strict=True)
    }


def hide_text(text: str, depth: int = 0) -> str:
    """Return text with secrets hidden, also in the JSON or the Base64 that it may be."""
    if depth <= _MAX_DEPTH:
        if text.lstrip()[:1] in ("{", "["):
            text = _hide_in_json(text, depth)
        elif not len(text) % 4 and _BASE64.fullmatch(text):
            return _hide_in_base64(text, depth)
    return hide_in_text(text)


def _name_of_pair(pair: dict[str, Any]) -> str:
    """Return what the `value` of a pair belongs to; "" if nothing says it."""
    return next((pair[key] for key in _NAMES_OF_PAIRS if isinstance(pair.get(key), str)), "")


def _keys(holder: dict[str, Any]) -> list[str]:
    """Return the keys with secrets hidden; two that would become one stay apart."""
    shown: dict[str, None] = {}
    for key in holder:
        name = hide_in_text(key)
        while name in shown or (name != key and name in holder):
            name += "*"
        shown[name] = None
    return [*shown]


def _hide_under(name: str, value: Any, depth: int) -> Any:
    if is_secret_name(name):
        return _hide_all(value, name, depth)
    if _HEADERS.fullmatch(name.strip()):
        return _hide_headers(value, depth)
    return hide(value, depth)


def _hide_all(value: Any, name: str, depth: int) -> Any:
    """Hide every text under a name that says secret; numbers only directly below it."""
    if isinstance(value, str):
        return value if not value or is_placeholder(value) else HIDDEN
    if depth > _MAX_DEPTH and isinstance(value, (dict, list)):
        return _TOO_DEEP
    if isinstance(value, list):
        return [_hide_all(item, name, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            shown: item
            if isinstance(item, (int, float)) and not is_secret_name(key)
            else _hide_all(item, key, depth + 1)
            for shown, (key, item) in zip(_keys(value), value.items(), strict=True)
        }
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return HIDDEN if is_number and not is_plural(name) else value


def _hide_headers(value: Any, depth: int) -> Any:
    """Hide the values of headers, in lines, maps or pairs; the names stay."""
    if depth > _MAX_DEPTH:
        return _TOO_DEEP
    if isinstance(value, str):
        return _hide_header_lines(value, depth)
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(item, str) and ":" not in item for item in value):
            return [value[0], *(_hide_header(value[0], item, depth) for item in value[1:])]
        return [_hide_headers(item, depth + 1) for item in value]
    return _hide_header_map(value, depth) if isinstance(value, dict) else value


def _hide_header_map(headers: dict[str, Any], depth: int) -> dict[str, Any]:
    if (named := _name_of_pair(headers)) and "value" in headers:
        return headers | {"value": _hide_header(named, headers["value"], depth)}
    return {key: _hide_header(key, item, depth) for key, item in headers.items()}


def _hide_header_lines(text: str, depth: int) -> str:
    if text.lstrip().startswith("{"):
        try:
            shown = _hide_headers(json.loads(text), depth + 1)
            return json.dumps(shown, ensure_ascii=False)
        except (ValueError, RecursionError):
            return HIDDEN
    return "\n".join(_hide_header_line(line, depth) for line in text.splitlines())


def _hide_header_line(line: str, depth: int) -> str:
    name, colon, value = line.partition(":")
    if not colon:
        return HIDDEN if line.strip() else line
    space = value[: len(value) - len(value.lstrip())]
    return f"{name}:{space}{_hide_header(name.strip(), value.strip(), depth)}"


def _hide_header(name: str, value: Any, depth: int) -> Any:
    if name.lower() in _HARMLESS_HEADERS:
        return hide(value, depth + 1)
    return _hide_all(value, name, depth + 1)


def _hide_in_json(text: str, depth: int) -> str:
    try:
        document = json.loads(text)
        hidden = hide(document, depth + 1)
        return text if hidden == document else json.dumps(hidden, ensure_ascii=False)
    except (ValueError, RecursionError):  # a template, or cut off: its form must tell
        return text


def _hide_in_base64(text: str, depth: int) -> str:
    try:
        inside = b64decode(text, validate=True).decode()
    except ValueError:  # no Base64, or no text in it
        return hide_in_text(text)
    hidden = hide_text(inside, depth + 1)
    return text if hidden == inside else b64encode(hidden.encode()).decode()
