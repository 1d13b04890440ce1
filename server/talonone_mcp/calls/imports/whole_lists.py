"""Add to, or remove from, a list that an import replaces as a whole: the items of a collection."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from talonone_mcp.calls.updating import ADD, REMOVE
from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.problems import shown
from talonone_mcp.core.errors import CallError


def changes_a_list(operation: Operation, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a call names the items to add or remove, in place of a whole file."""
    columns = operation.body.columns if operation.body else None
    return bool(columns and columns.items_in) and bool({ADD, REMOVE} & arguments.keys())


def changed_list(operation: Operation, arguments: Mapping[str, Any], current: Sequence[Any]) -> str:
    """Return the CSV of all items as they will be.

    Args:
        operation: an import whose only column is required.
        arguments: the call's, with `add` or `remove`.
        current: the items that are there, as upstream lists them.

    Raises:
        CallError: `invalid_arguments`, if an item to remove is not there.
    """
    [column] = operation.body.columns.required if operation.body and operation.body.columns else ()
    items = [str(each[column] if isinstance(each, Mapping) else each) for each in current]
    removed: Sequence[str] = arguments.get(REMOVE, ())
    if missing := [each for each in removed if each not in {*items}]:
        raise CallError(
            "invalid_arguments",
            f"{operation.name} was not called: {shown(missing[0])} is not there to be removed.",
            details=[{"at": REMOVE, "problem": f"{shown(each)} is not there"} for each in missing],
            hint="Read what is there now, and call again.",
        )
    kept = [each for each in items if each not in {*removed}]
    whole = dict.fromkeys([*kept, *arguments.get(ADD, ())])
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[column], *([each] for each in whole)])
    return text.getvalue()
