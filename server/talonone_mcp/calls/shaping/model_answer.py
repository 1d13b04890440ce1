"""Shapes an answer for a model: the selected fields, without empty values, within a size limit."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talonone_mcp.calls.shaping.csv_table import as_rows
from talonone_mcp.calls.shaping.field_selection import selected
from talonone_mcp.calls.shaping.truncation import cut
from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.csv_masking import hide_in_csv
from talonone_mcp.core.csv_rows import rows_of
from talonone_mcp.core.text import clean
from talonone_mcp.store.exports import Export
from talonone_mcp.upstream.http_messages import Answer

TOKENS = 4_000  # of an answer, unless the call sets another limit
# Characters per token, measured with o200k_base on the sandbox's answers: JSON, and CSV, which is
# mostly codes and numbers.
PER_TOKEN, CSV_PER_TOKEN = 3.0, 1.95
BUDGET, CSV_BUDGET = int(TOKENS * PER_TOKEN), int(TOKENS * CSV_PER_TOKEN)
FIELDS, MAX_TOKENS = "fields", "maxTokens"  # our own arguments, not upstream's
_FIRST_ROWS = 5  # shown of an export that is too long
_MAX_DEPTH = 100  # the protocol's serializer fails beyond 255 levels
_TOO_DEEP = "(nested too deeply to show)"


@dataclass(frozen=True, slots=True)
class Shaped:
    """What is shown of an answer; `full` is the full answer if the content was cut to size."""

    content: dict[str, Any]
    full: dict[str, Any] | None = None


def shape(operation: Operation, arguments: Mapping[str, Any], answer: Answer) -> Shaped:
    """Return what the client receives of an answer.

    It has the fields that the call asks for, or those of the operation's view, without nulls, empty
    lists, empty objects and hidden characters. A list over the size limit is cut between items;
    `page` says how many items there are and how to get the next ones.

    Args:
        operation: the operation called.
        arguments: the call's arguments, including `fields` and `maxTokens`.
        answer: upstream's answer.
    """
    if answer.body is None:
        return Shaped(full_answer(answer))
    body = answer.body if isinstance(answer.body, dict) else {"data": answer.body}
    paths = arguments.get(FIELDS) or operation.view
    tokens = arguments.get(MAX_TOKENS, TOKENS)
    if isinstance(body.get("data"), list):
        items = slim(selected(body["data"], paths))
        return _shape_list(operation, arguments, body, items, tokens)
    shown, left_out = cut(slim(selected(body, paths)), int(tokens * PER_TOKEN))
    if not left_out:
        return Shaped(shown)
    return Shaped({**shown, "page": {"left_out": left_out}}, slim(body))


def full_answer(answer: Answer, paths: Sequence[str] = ()) -> dict[str, Any]:
    """Return a full answer, without empty values and hidden characters.

    Args:
        answer: upstream's answer. If it is a list, it is returned under `data`.
        paths: the fields to keep, of each item if there is a list. Default: all.
    """
    if answer.body is None:
        return {"done": True, "status": answer.status}
    body = answer.body if isinstance(answer.body, dict) else {"data": answer.body}
    if isinstance(body.get("data"), list):
        chosen = {**body, "data": selected(body["data"], paths)}
    else:
        chosen = selected(body, paths)
    shown: dict[str, Any] = slim(chosen)
    return shown


def shape_export(export: Export, beginning: bytes) -> dict[str, Any]:
    """Return what the client receives of an export: all rows if they fit, or else the first few.

    Secrets are hidden, and invisible characters removed, also at line ends.

    Args:
        export: its description.
        beginning: its first bytes, or all of them.
    """
    shown_rows = hide_in_csv(beginning.decode("utf-8", "replace")).encode()
    texts = [clean(row.decode("utf-8", "replace")) for row in rows_of(io.BytesIO(shown_rows))]
    lengths = [*map(len, texts)]
    if export.size > len(beginning) or sum(lengths) > CSV_BUDGET:
        texts = texts[: min(1 + _FIRST_ROWS, _fitting(lengths, CSV_BUDGET))]
    shown = max(len(texts) - 1, 0)
    page: dict[str, Any] = {"shown": shown, "total": export.rows}
    if shown < export.rows:
        page["left_out"] = export.rows - shown
        page["hint"] = (
            f"The resource {export.uri} has all rows; {export.uri}?from={shown + 1}&rows=100 has"
            " the next 100. Narrower filters return fewer."
        )
    about = {
        "id": export.id,
        "uri": export.uri,
        "columns": [*export.columns],
        "rows": export.rows,
        "bytes": export.size,
    }
    return {"export": about, "csv": "".join(texts)[:CSV_BUDGET], "page": page}


def slim(value: Any, depth: int = 0) -> Any:
    """Return JSON without empty values and hidden characters, at every depth."""
    if isinstance(value, str):
        return clean(value)
    if depth == _MAX_DEPTH:
        return _TOO_DEEP if isinstance(value, (dict, list)) else value
    if isinstance(value, list):
        return [slim(item, depth + 1) for item in value]
    if isinstance(value, dict):
        slimmed = ((clean(key), slim(item, depth + 1)) for key, item in value.items())
        return {key: item for key, item in slimmed if item is not None and item not in ([], {})}
    return value


def _shape_list(
    operation: Operation,
    arguments: Mapping[str, Any],
    body: dict[str, Any],
    items: list[Any],
    tokens: int,
) -> Shaped:
    shown, count = _fitted(items, tokens)
    is_cut = count < len(items)
    if shown.get("data"):
        shown["data"][0], left_out = cut(shown["data"][0], int(tokens * PER_TOKEN))
        is_cut = is_cut or bool(left_out)
    rest = slim({key: value for key, value in body.items() if key not in _PAGE})
    page: dict[str, Any] = {"shown": count}
    if (total := body.get("totalResultSize")) is not None:
        page["total"] = total
    skip = int(arguments.get("skip", 0))
    if "skip" not in operation.query:
        page |= {"left_out": len(items) - count} if count < len(items) else {}
    elif body.get("hasMore") or count < len(items) or (count and total and total > skip + count):
        page["next"] = {**arguments, "skip": skip + count}
    elif skip and not count:
        page["note"] = f"No items after the first {skip}: the list ends earlier."
    return Shaped({**rest, **shown, "page": page}, slim(body) if is_cut else None)


_PAGE = ("data", "totalResultSize", "hasMore")


def _fitted(items: list[Any], tokens: int) -> tuple[dict[str, Any], int]:
    """Return as many items as fit, as JSON or CSV, whichever is shorter, and their number."""
    rows = as_rows(items)
    texts = [json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items]
    if rows and sum(map(len, rows)) / CSV_PER_TOKEN < sum(map(len, texts)) / PER_TOKEN:
        count = _fitting(map(len, rows[1:]), int(tokens * CSV_PER_TOKEN) - len(rows[0]))
        return {"csv": "".join(rows[: count + 1])}, count
    count = _fitting(map(len, texts), int(tokens * PER_TOKEN))
    return {"data": items[:count]}, count


def _fitting(lengths: Iterable[int], budget: int) -> int:
    """Return how many items fit the budget, at least one."""
    used = count = 0
    for length in lengths:
        used += length
        if used > budget and count:
            break
        count += 1
    return count
