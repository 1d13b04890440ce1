"""Writes the question that a person is asked about a call, with what is there now in it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from talonone_mcp.calls.imports import Content
from talonone_mcp.calls.plan import Plan
from talonone_mcp.core.catalog import Confirm, Operation, Tool, Workflow
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line

_PLACEHOLDER = re.compile(r"\{(?P<path>\w+(?:\.\w+)*)(?P<drifts>~)?(?:\|(?P<fallback>[^}]*))?\}")
_VALUE = 200  # characters of one value that the question shows
_ITEMS = 20  # items of one list, and settings of one call, that the question names


@dataclass(frozen=True, slots=True)
class Question:
    """What a person reads, and a digest of what must still hold when their yes comes.

    Counters that move by themselves on a busy account are shown, and stay out of the digest. `plan`
    is what the question is about, if it is a workflow's.
    """

    text: str
    seen: str
    plan: Plan | None = None


Preview = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Awaitable[Any]]
"""Calls the named read for what a call is about to change, and returns upstream's JSON.

It is given the call's arguments, of which it takes those that its path needs, and extra ones.
"""


async def question_about(
    operation: Operation, arguments: Mapping[str, Any], preview: Preview
) -> Question:
    """Write the question about a call, with names and counts as they are at this moment.

    Raises:
        CallError: `not_found`, when what is to be changed is not there. The question itself says
            when the preview failed in any other way.
    """
    confirm = _confirm_of(operation)
    if not confirm.preview:
        return _question(operation, arguments)
    shown = _without_secrets(operation, arguments)
    try:
        extra = _filled(confirm.preview_with or {}, shown)
        found = await preview(confirm.preview, arguments, extra)
    except CallError as error:
        if error.kind == "not_found":
            raise
        failed = f" What is there now could not be read: {one_line(error.message, _VALUE)}"
        return _question(operation, arguments, warning=failed)
    return _question(operation, arguments, preview=found)


def question_about_plan(workflow: Workflow, arguments: Mapping[str, Any], plan: Plan) -> Question:
    """Write the question about a workflow's whole plan, which `{preview.…}` shows."""
    return replace(_question(workflow, arguments, preview=plan.shown), plan=plan)


def _question(
    tool: Tool, arguments: Mapping[str, Any], *, preview: Any = None, warning: str = ""
) -> Question:
    shown = _without_secrets(tool, arguments)
    others = {name: value for name, value in shown.items() if name not in tool.path_arguments}
    known = {**shown, "others": others, "preview": preview}
    ask = _confirm_of(tool).ask
    steady = render(ask, known, steady=True) + warning
    return Question(render(ask, known) + warning, sha256(steady.encode()).hexdigest())


def _without_secrets(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in tool.secrets}


def _confirm_of(tool: Tool) -> Confirm:
    if tool.confirm is None:
        raise ValueError(f"nobody is asked about {tool.name}")
    return tool.confirm


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
