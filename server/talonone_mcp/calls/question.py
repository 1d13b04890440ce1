"""Writes the question that a person is asked about a call, with what is there now in it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from talonone_mcp.calls.imports import Content
from talonone_mcp.core.catalog import Confirm, Tool
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line

_PLACEHOLDER = re.compile(r"\{(?P<path>\w+(?:\.\w+)*)(?P<drifts>~)?(?:\|(?P<fallback>[^}]*))?\}")
_VALUE = 200  # characters of one value that the question shows
_ITEMS = 20  # items of one list, and settings of one call, that the question names


@dataclass(frozen=True, slots=True)
class Question:
    """What a person reads, and a digest of what must still hold when their yes comes.

    Counters that move by themselves on a busy account are shown, and stay out of the digest.
    """

    text: str
    seen: str


Preview = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Awaitable[Any]]
"""Calls the named read for what a call is about to change, and returns upstream's JSON.

Its arguments are the call's, of which it takes those of its path, and what it is given beside them.
"""


async def question_about(
    tool: Tool, confirm: Confirm, arguments: Mapping[str, Any], preview: Preview
) -> Question:
    """Write the question, with names and counts as they are at this moment.

    Raises:
        CallError: `not_found`, when what is to be changed is not there. Any other failure of the
            preview is said in the question.
    """
    shown = {name: value for name, value in arguments.items() if name not in tool.secrets}
    others = {k: v for k, v in shown.items() if k not in tool.path_arguments}
    known: dict[str, Any] = {**shown, "others": others}
    warning = ""
    if confirm.preview:
        try:
            extra = _filled(confirm.preview_with or {}, shown)
            known["preview"] = await preview(confirm.preview, arguments, extra)
        except CallError as error:
            if error.kind == "not_found":
                raise
            warning = f" What is there now could not be read: {one_line(error.message, _VALUE)}"
    steady = render(confirm.ask, known, steady=True) + warning
    return Question(render(confirm.ask, known) + warning, sha256(steady.encode()).hexdigest())


def _filled(given: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a preview is given; a value "{name}" is the argument, or stays out without it."""
    filled = {}
    for key, value in given.items():
        whole = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if whole is None:
            filled[key] = value
        elif (argument := _value(arguments, whole["path"].split("."))) is not None:
            filled[key] = argument
    return filled


def render(template: str, known: Mapping[str, Any], *, steady: bool = False) -> str:
    """Fill in a question's placeholders.

    `{a.b}` is a value by its path; `.length` of a list and `.lines` of a text count. What is
    missing or empty becomes the text after `|`, or "unknown". Values come from customers and
    models, so each is cleaned, put on one line and cut. One marked with `~` may change by itself:
    `steady` leaves it out.
    """

    def fill(match: re.Match[str]) -> str:
        if steady and match["drifts"]:
            return ""
        value = _value(known, match["path"].split("."))
        if value is None or value in ("", [], {}):
            return "unknown" if match["fallback"] is None else match["fallback"]
        return _shown(value)

    return _PLACEHOLDER.sub(fill, template.strip())


def _value(known: Any, path: list[str]) -> Any:
    value = known
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step == "length":
            value = len(value)
        elif isinstance(value, Content) and step == "lines":
            value = value.lines
        elif isinstance(value, str) and step == "lines":
            value = len(value.splitlines())
        else:
            return None
    return value


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return _listed([f"{_word(str(key))}={_nested(item)}" for key, item in value.items()])
    if isinstance(value, list):
        return _listed([_nested(item) for item in value])
    if isinstance(value, Content):
        return one_line(value.begins.replace('"', "'"), _VALUE, of=value.characters)
    return _word(str(value).lower() if isinstance(value, bool) else str(value))


def _nested(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{_shown(value)}}}"
    return f"[{_shown(value)}]" if isinstance(value, list) else _shown(value)


def _word(text: str) -> str:
    """Show one value; it cannot end the quotation marks that a template puts around it."""
    return one_line(text.replace('"', "'"), _VALUE)


def _listed(items: list[str]) -> str:
    left = len(items) - _ITEMS
    return ", ".join(items[:_ITEMS]) + (f" and {left} more" if left > 0 else "")
