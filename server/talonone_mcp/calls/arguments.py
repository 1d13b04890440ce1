"""Refuse arguments that are wrong, all problems at once, before anything is read or sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from talonone_mcp.calls.paging import contradictions
from talonone_mcp.calls.shaping.field_selection import fields_of, unknown
from talonone_mcp.calls.shaping.hidden_secrets import note_problems
from talonone_mcp.calls.shaping.model_answer import FIELDS
from talonone_mcp.calls.updating import update_problems
from talonone_mcp.core.catalog import Operation, Tool
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.catalog.validation import problems
from talonone_mcp.core.errors import CallError


def validate(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """Return if a tool takes these arguments.

    Raises:
        CallError: `invalid_arguments`.
    """
    found = problems(tool, arguments, reserved=True)
    fields = arguments.get(FIELDS, ())
    wrong_fields: list[Problem] = []
    if fields and not found and isinstance(tool, Operation):
        wrong_fields = unknown(fields_of(tool), fields)
    update = update_problems(tool, arguments) if isinstance(tool, Operation) else []
    refuse(
        tool,
        [
            *found,
            *contradictions(arguments),
            *wrong_fields,
            *update,
            *note_problems(tool, arguments),
        ],
    )


def validate_whole(
    operation: Operation, whole: Mapping[str, Any], arguments: Mapping[str, Any]
) -> None:
    """Return if the arguments of an update go with what is there.

    What was there before, and is sent again as it was, is upstream's own and not judged.

    Args:
        operation: the update.
        whole: all that would be sent.
        arguments: of the call.

    Raises:
        CallError: `invalid_arguments`.
    """
    sent = {name: value for name, value in whole.items() if name not in operation.reserved}
    found = problems(operation, sent)
    refuse(operation, [each for each in found if _top(each.at) in arguments])


def refuse(tool: Tool, found: Sequence[Problem]) -> None:
    """Return if nothing was found to be wrong.

    Raises:
        CallError: `invalid_arguments`, with every problem.
    """
    if found:
        raise CallError(
            "invalid_arguments",
            f"{tool.name} was not called: {len(found)} of its arguments are wrong."
            if len(found) > 1
            else f"{tool.name} was not called: one of its arguments is wrong.",
            details=[asdict(problem) for problem in found],
            hint="Correct them and call again.",
        )


def _top(path: str) -> str:
    """Return the argument that a path of a problem begins with."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]
