"""Reads what an error answer says, in the forms of upstream and of what stands before it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from talonone_mcp.core.text import one_line

_MESSAGE = 500  # characters of upstream's prose that are passed on
_DETAILS = 20
_TITLE = re.compile(r"<title\b[^>]{0,200}>(.{1,2000}?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """What an error answer says: a message, and single problems (`at`, `problem`)."""

    message: str
    details: tuple[Mapping[str, str], ...] = ()


def read(body: str) -> Said:
    """Return what an error answer says; an empty message when it says nothing.

    Understands upstream's own documents (`message` and `errors`), those of the Third-party API
    (`Error`), problem documents (https://www.rfc-editor.org/rfc/rfc9457) with the `validation` that
    mock servers add, and the title of a page in HTML.
    """
    document = _document(body)
    if document is None:
        return Said(page_title(body))
    said = (document.get(key) for key in ("message", "Error", "detail", "title"))
    message = next((text for text in said if isinstance(text, str) and text), "")
    problems = (*_errors(document.get("errors")), *_validation(document.get("validation")))
    return Said(one_line(message, _MESSAGE), tuple(islice(problems, _DETAILS)))


def page_title(body: str) -> str:
    """Return the title of a page in HTML, in quotation marks; nothing when it has none."""
    found = _TITLE.search(body)
    title = one_line(html.unescape(found[1]), _MESSAGE) if found else ""
    return f'A page with the title "{title}".' if title else ""


def _document(body: str) -> Mapping[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else {}


def _errors(errors: Any) -> Iterator[dict[str, str]]:
    """Read upstream's list: a title, details, and a source that says where."""
    for error in _objects(errors):
        source = error.get("source")
        places = source.values() if isinstance(source, dict) else ()
        at = next((str(place) for place in places if place), "")
        problem = ": ".join(str(error[key]) for key in ("title", "details") if error.get(key))
        yield from _detail(at, problem)


def _validation(problems: Any) -> Iterator[dict[str, str]]:
    """Read the list of a mock server: a location in parts, a severity, a code and a message."""
    for problem in _objects(problems):
        parts = problem.get("location")
        at = ".".join(map(str, parts)) if isinstance(parts, list) else ""
        yield from _detail(at, str(problem.get("message") or problem.get("code") or ""))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (
        each for each in (value if isinstance(value, list) else ()) if isinstance(each, dict)
    )


def _detail(at: str, problem: str) -> Iterator[dict[str, str]]:
    detail = {"at": one_line(at, _MESSAGE), "problem": one_line(problem, _MESSAGE)}
    if kept := {key: value for key, value in detail.items() if value}:
        yield kept
