"""What the rows of an import give, take and replace."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from talonone_mcp.calls.impact.call_facts import CallFacts, Measured
from talonone_mcp.calls.imports import Rows, Total
from talonone_mcp.calls.updating import ADD, REMOVE
from talonone_mcp.calls.upstream_lists import is_complete, listed

_USES, _WORTH, _POINTS = ("limitval", "usagelimit"), ("discountlimit",), ("amount", "points")


def imported_codes(facts: CallFacts) -> Iterator[Measured]:
    """Tell how often customers can use the codes of a file."""
    rows = facts.rows
    if rows is None:
        yield Measured(None, "in the file")
        return
    total = _total(rows, _USES)
    if total is None:
        yield Measured(rows.count, f"in {rows.count:,} rows, each usable once")
    elif total.unlimited:
        yield Measured(None, f"in {rows.count:,} rows, {total.unlimited:,} of them without a limit")
    else:
        yield Measured(total.sum, f"in {rows.count:,} rows, counted with their uses")


def imported_worth(facts: CallFacts) -> Iterator[Measured]:
    """Tell what the codes of a file may give, where they have a discount limit."""
    total = _total(facts.rows, _WORTH)
    if total is not None and total.positive:
        yield Measured(total.positive, "with the codes in the file")


def imported_points(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many points the rows of a file give."""
    rows = facts.rows
    total = _total(rows, _POINTS)
    if rows is None or total is None:
        yield Measured(None, "in the file")
    elif total.positive:
        yield Measured(total.positive, f"in {rows.count:,} rows")


def imported_negative_points(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many points the rows of a file take."""
    total = _total(facts.rows, _POINTS)
    if total is not None and total.negative:
        yield Measured(abs(total.negative), "by rows with a negative amount")


def replaced_rows(facts: CallFacts) -> Iterator[Measured]:
    """Tell how much of what is there is not in the file, and so is lost."""
    if facts.given(ADD) or facts.given(REMOVE):
        if removed := facts.given(REMOVE):
            yield Measured(len(removed), "that the call names")
        return
    there, rows = _there(facts.before), facts.rows
    if there is None or rows is None or rows.count > len(rows.keys):
        yield Measured(None, "that are not in the file")
        return
    if lost := {str(each) for each in there} - {str(each) for each in rows.keys}:
        yield Measured(len(lost), "that are not in the file")


def _there(before: Any) -> Collection[Any] | None:
    """Return what is there now, if upstream shows all of it; of a collection it shows a part."""
    if not isinstance(before, Mapping):
        return None
    if before.get("payload") == []:
        return []
    if isinstance(before.get("suggestions"), list):
        values: list[Any] = before["suggestions"]
        return values
    if "data" not in before or not is_complete(before):
        return None
    return [each.get("integrationId", each.get("id")) for each in listed(before)]


def _total(rows: Rows | None, columns: Collection[str]) -> Total | None:
    totals = {} if rows is None else rows.totals
    return next((totals[name] for name in columns if name in totals), None)
