"""The gate: which calls a person must confirm, and what that person is asked.

How the question reaches the person is not known here: a `Person` does that. Nothing that a model
can send answers for one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from talonone_mcp.catalog import Confirm, Operation
from talonone_mcp.catalog.schemas import satisfies
from talonone_mcp.client.errors import CallError
from talonone_mcp.settings import ConfirmPolicy
from talonone_mcp.text import one_line

_PLACEHOLDER = re.compile(r"\{(?P<path>\w+(?:\.\w+)*)(?:\|(?P<fallback>[^}]*))?\}")
_VALUE = 200  # characters of one value that the question shows
_ITEMS = 20  # items of one list, and settings of one call, that the question names


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person said. `late` is true when the preview that they saw may be old by now."""

    verdict: Literal["yes", "no", "cancelled"]
    late: bool


class Person(Protocol):
    """Somebody who can be asked, by whatever way the client has."""

    async def answer(self, question: str, call: str) -> Reply:
        """Ask and wait for the reply.

        Args:
            question: what the person reads.
            call: a fingerprint of all that would be sent, the content of a file included. A reply
                counts for this question about this call alone.

        Raises:
            CallError: `approval_required`, when nobody could be reached after all.
        """


Preview = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Awaitable[Any]]
"""Calls the named read for what a call is about to change, and returns upstream's JSON.

Its arguments are the call's, of which it takes those of its path, and what it is given beside them.
"""


async def pass_gate(
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    policy: ConfirmPolicy,
    person: Person | None,
    preview: Preview,
) -> None:
    """Return when the call may go out: nobody need be asked, or somebody said yes to just this.

    Raises:
        CallError: `blocked`, `approval_required` or `declined`; `not_found` when what is to be
            changed is not there, in which case nobody is asked.
    """
    confirm = operation.confirm
    if confirm is None or policy == "off":
        return
    if confirm.when is not None and not satisfies(confirm.when, arguments):
        return
    if policy == "block":
        raise CallError(
            "blocked",
            f"{operation.name} needs a person's confirmation, which this server never asks for.",
            hint="Whoever runs the server started it with --confirm block.",
        )
    question = await _question(operation, confirm, arguments, preview)
    if person is None or policy == "approve":
        raise nobody_to_ask(question, policy)
    call = _fingerprint(operation, arguments)
    while True:
        reply = await person.answer(question, call)
        if reply.verdict != "yes":
            raise _declined(question, reply)
        if not reply.late:
            return
        asked, question = question, await _question(operation, confirm, arguments, preview)
        if question == asked:
            return  # what they saw is what is there; otherwise they are asked again


def nobody_to_ask(question: str, policy: ConfirmPolicy = "ask") -> CallError:
    """Return the refusal of a call that nobody can confirm here."""
    why, hint = "this client cannot ask one", "A client with MCP elicitation can ask them."
    if policy == "approve":
        why = "here they are not asked through the client"
        hint = "Whoever runs the server started it with --confirm approve."
    return CallError(
        "approval_required",
        f"A person must confirm this, and {why}. Nothing was changed. {question}",
        hint=hint,
    )


def _declined(question: str, reply: Reply) -> CallError:
    said = "A person declined" if reply.verdict == "no" else "A person closed the question"
    return CallError(
        "declined",
        f"{said}. Nothing was changed. {question}",
        hint="Do not call this again unless they ask for it.",
    )


async def _question(
    operation: Operation, confirm: Confirm, arguments: Mapping[str, Any], preview: Preview
) -> str:
    """Write the question, with names and counts as they are at this moment."""
    shown = {name: value for name, value in arguments.items() if name not in operation.secrets}
    others = {k: v for k, v in shown.items() if k not in operation.path_arguments}
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
    return render(confirm.ask, known) + warning


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


def _fingerprint(operation: Operation, arguments: Mapping[str, Any]) -> str:
    call = json.dumps([operation.name, arguments], sort_keys=True)
    return hashlib.sha256(call.encode()).hexdigest()


def render(template: str, known: Mapping[str, Any]) -> str:
    """Fill in a question's placeholders.

    `{a.b}` is a value by its path; `.length` of a list and `.lines` of a text count. What is
    missing or empty becomes the text after `|`, or "unknown". Values come from customers and
    models, so each is cleaned, put on one line and cut.
    """

    def fill(match: re.Match[str]) -> str:
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
