"""Writes the question that a person must answer about a call, from upstream's current state."""

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
_MAX_VALUE_CHARS = 200  # of one value in the question
_MAX_ITEMS = 20  # of one list, or of one call's settings, in the question


@dataclass(frozen=True, slots=True)
class Question:
    """What a person reads, and what must still be true when they say yes.

    Attributes:
        text: the question.
        seen: a digest of what the question shows, without the counters that move by themselves on
            a busy account.
        plan: the plan that the question is about, if it is a workflow's.
    """

    text: str
    seen: str
    plan: Plan | None = None


Preview = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Awaitable[Any]]
"""Calls the named read for what a call is about to change, and returns upstream's JSON.

It takes the path arguments that it needs from the call's arguments, and extra ones.
"""


async def question_about(
    operation: Operation, arguments: Mapping[str, Any], preview: Preview
) -> Question:
    """Write the question about a call, with current names and counts.

    Raises:
        CallError: `not_found`, if what the call would change does not exist. If the preview fails
            in any other way, the question says so.
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
        reason = one_line(error.message, _MAX_VALUE_CHARS)
        warning = f" The current state could not be read: {reason}"
        return _question(operation, arguments, warning=warning)
    return _question(operation, arguments, preview=found)


def question_about_plan(workflow: Workflow, arguments: Mapping[str, Any], plan: Plan) -> Question:
    """Write the question about a workflow's plan, shown by `{preview.…}`."""
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
    """Return a preview's arguments; "{name}" becomes that argument, or is dropped without it."""
    filled = {}
    for key, value in given.items():
        placeholder = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if placeholder is None:
            filled[key] = value
        elif (argument := _value(arguments, placeholder["path"].split("."))) is not None:
            filled[key] = argument
    return filled


def render(template: str, known: Mapping[str, Any], *, steady: bool = False) -> str:
    """Fill in a question's placeholders.

    `{a.b}` is a value by its path; `.length` counts a list's items, `.lines` a text's lines. A
    missing or empty value becomes the text after `|`, or "unknown". Values come from customers and
    models, so each is cleaned, put on one line and cut. A value marked `~` may change by itself:
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
        return one_line(value.begins.replace('"', "'"), _MAX_VALUE_CHARS, of=value.characters)
    return _word(str(value).lower() if isinstance(value, bool) else str(value))


def _nested(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{_shown(value)}}}"
    return f"[{_shown(value)}]" if isinstance(value, list) else _shown(value)


def _word(text: str) -> str:
    """Show one value; it cannot close the quotation marks that a template puts around it."""
    return one_line(text.replace('"', "'"), _MAX_VALUE_CHARS)


def _listed(items: list[str]) -> str:
    left = len(items) - _MAX_ITEMS
    return ", ".join(items[:_MAX_ITEMS]) + (f" and {left} more" if left > 0 else "")
