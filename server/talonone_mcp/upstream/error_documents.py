"""Reads what an error answer says, in the formats of upstream and of proxies before it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from talonone_mcp.core.text import one_line

_MAX_MESSAGE_CHARS = 500  # of upstream's prose
_MAX_DETAILS = 20
_TITLE = re.compile(r"<title\b[^>]{0,200}>(.{1,2000}?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class ErrorDocument:
    """What an error answer says: a message, and single problems (`at`, `problem`)."""

    message: str
    details: tuple[Mapping[str, str], ...] = ()


def parse(body: str) -> ErrorDocument:
    """Return what an error answer says; the message is empty if it says nothing.

    Understands upstream's own documents (`message` and `errors`), those of the Third-party API
    (`Error`), problem documents (https://www.rfc-editor.org/rfc/rfc9457) with the `validation` that
    mock servers add, and the title of an HTML page.
    """
    document = _document(body)
    if document is None:
        return ErrorDocument(page_title(body))
    texts = (document.get(key) for key in ("message", "Error", "detail", "title"))
    message = next((text for text in texts if isinstance(text, str) and text), "")
    problems = (*_errors(document.get("errors")), *_validation(document.get("validation")))
    return ErrorDocument(
        one_line(message, _MAX_MESSAGE_CHARS), tuple(islice(problems, _MAX_DETAILS))
    )


def page_title(body: str) -> str:
    """Return a sentence with the title of an HTML page; "" if it has none."""
    found = _TITLE.search(body)
    title = one_line(html.unescape(found[1]), _MAX_MESSAGE_CHARS) if found else ""
    return f'A page with the title "{title}".' if title else ""


def _document(body: str) -> Mapping[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else {}


def _errors(errors: Any) -> Iterator[dict[str, str]]:
    """Read upstream's list: each has a title, details, and a source that says where."""
    for error in _objects(errors):
        source = error.get("source")
        places = source.values() if isinstance(source, dict) else ()
        at = next((str(place) for place in places if place), "")
        problem = ": ".join(str(error[key]) for key in ("title", "details") if error.get(key))
        yield from _detail(at, problem)


def _validation(problems: Any) -> Iterator[dict[str, str]]:
    """Read a mock server's list: each has a location in parts, a code and a message."""
    for problem in _objects(problems):
        parts = problem.get("location")
        at = ".".join(map(str, parts)) if isinstance(parts, list) else ""
        yield from _detail(at, str(problem.get("message") or problem.get("code") or ""))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (
        each for each in (value if isinstance(value, list) else ()) if isinstance(each, dict)
    )


def _detail(at: str, problem: str) -> Iterator[dict[str, str]]:
    detail = {
        "at": one_line(at, _MAX_MESSAGE_CHARS),
        "problem": one_line(problem, _MAX_MESSAGE_CHARS),
    }
    if kept := {key: value for key, value in detail.items() if value}:
        yield kept
