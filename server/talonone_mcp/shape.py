"""Shapes an answer for a model: what it says, without what it does not, and not too much of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from talonone_mcp.catalog import Operation
from talonone_mcp.client.transport import Answer
from talonone_mcp.text import clean

# Characters that make about 4,000 tokens. On the sandbox's answers, o200k_base needs a token for
# every 3.1 characters of JSON, and for every 1.95 of CSV, which is codes and numbers alone.
BUDGET = 12_000
CSV_BUDGET = 7_800
_DEPTH = 100  # levels; the protocol's own serializer gives up beyond 255
_TOO_DEEP = "(nested too deeply to show)"

csv.field_size_limit(2**31 - 1)  # a field of an export may be longer than csv's default allows


def shape(operation: Operation, arguments: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """Return the object that the client receives.

    Nulls, empty lists and empty objects are left out, hidden characters removed. A list, or CSV,
    that is longer than the budget is cut between items; `page` tells how many there are and how
    to get the next ones.
    """
    if answer.body is None:
        return {"done": True, "status": answer.status}
    if operation.answer == "csv":
        return _shape_csv(answer.body)
    body = answer.body if isinstance(answer.body, dict) else {"data": answer.body}
    slimmed: dict[str, Any] = _slim(body)
    if isinstance(body.get("data"), list):
        return _shape_list(operation, arguments, slimmed)
    return slimmed


def _slim(value: Any, depth: int = 0) -> Any:
    """Drop what is empty and clean what is text, at every depth."""
    if isinstance(value, str):
        return clean(value)
    if depth == _DEPTH:
        return _TOO_DEEP if isinstance(value, (dict, list)) else value
    if isinstance(value, list):
        return [_slim(item, depth + 1) for item in value]
    if isinstance(value, dict):
        slimmed = ((clean(key), _slim(item, depth + 1)) for key, item in value.items())
        return {key: item for key, item in slimmed if item is not None and item not in ([], {})}
    return value


def _shape_list(
    operation: Operation, arguments: Mapping[str, Any], body: dict[str, Any]
) -> dict[str, Any]:
    items = body.pop("data", [])
    total, has_more = body.pop("totalResultSize", None), body.pop("hasMore", False)
    shown = _fitting((len(json.dumps(item, ensure_ascii=False)) for item in items), BUDGET)
    page: dict[str, Any] = {"shown": shown}
    if total is not None:
        page["total"] = total
    reached = int(arguments.get("skip", 0)) + shown
    if "skip" in operation.query:
        if has_more or shown < len(items) or (shown and total and total > reached):
            page["next"] = {"skip": reached}
    elif shown < len(items):
        page["left_out"] = len(items) - shown
    return {**body, "data": items[:shown], "page": page}


def _shape_csv(text: str) -> dict[str, Any]:
    lines = clean(text).splitlines(keepends=True)
    reader = csv.reader(lines)
    ends = [0, *(reader.line_num for _ in reader)]  # a row may span lines
    shown = _fitting((sum(map(len, lines[a:b])) for a, b in pairwise(ends)), CSV_BUDGET)
    rows = len(ends) - 1
    page: dict[str, Any] = {"shown": max(shown - 1, 0), "total": max(rows - 1, 0)}
    if shown < rows:
        page["left_out"] = rows - shown
        page["hint"] = "Narrower filters show the rest."
    return {"csv": "".join(lines[: ends[shown]]), "page": page}


def _fitting(lengths: Iterable[int], budget: int) -> int:
    """Return how many of the first items stay within the budget; the first always does."""
    used = count = 0
    for length in lengths:
        used += length
        if used > budget and count:
            break
        count += 1
    return count
