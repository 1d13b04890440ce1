"""Prints answers for people: lists as tables, objects as fields, errors in a few lines.

What is printed comes from upstream, so it is text and never markup.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from talonone_mcp.terminal.streams import in_columns

_MAX_DEPTH = 2  # levels of nested objects that are shown as fields
_CELL_CHARS = 60  # of a value in a table
_MIN_COLUMN_CHARS = 16  # that a column of a table needs
_MIN_COLUMNS = 3  # that a table has, however narrow the terminal is
_DEFAULT_WIDTH = 160  # characters, where no terminal says how wide it is


def console(file: TextIO) -> Console:
    """Return a console that prints to a stream, in colour only if that is seen and wanted."""
    return Console(
        file=file,
        highlight=False,
        markup=False,
        emoji=False,
        width=shutil.get_terminal_size((_DEFAULT_WIDTH, 50)).columns
        if file.isatty()
        else _DEFAULT_WIDTH,
        no_color=bool(os.environ.get("NO_COLOR")),
    )


def print_answer(to: Console, answer: Mapping[str, Any], columns: Sequence[str] = ()) -> None:
    """Print an answer.

    Args:
        to: where to print.
        answer: the answer of a call.
        columns: for a list, the fields of its items to show as columns, as dotted paths; by
            default, those with a single value.
    """
    if isinstance(answer.get("csv"), str):
        _print_export(to, answer)
    elif isinstance(answer.get("data"), list):
        _print_list(to, answer, columns)
    elif set(answer) == {"done", "status"}:
        to.print(f"Done (status {answer['status']}).")
    else:
        _print_fields(to, answer)


def print_error(to: Console, error: Mapping[str, Any]) -> None:
    """Print an error: what is wrong, where, and what to do."""
    to.print(Text(f"{error['kind']}: {error['message']}", "red"))
    for detail in error.get("details", ()):
        to.print(Text(f"  {detail['at']}: {detail['problem']}"))
    if "hint" in error:
        to.print(Text(error["hint"]))


def print_table(
    to: Console,
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    cell_chars: int = _CELL_CHARS,
) -> None:
    """Print rows under their headings, wrapped to the width of the terminal.

    Args:
        to: where to print.
        head: the headings.
        rows: a value for each heading.
        cell_chars: a longer value is cut to this.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value, cell_chars)) for value in row))
    to.print(table)


def _print_list(to: Console, answer: Mapping[str, Any], columns: Sequence[str]) -> None:
    items = answer["data"]
    if not items:
        to.print("Nothing.")
    elif all(isinstance(item, dict) for item in items):
        paths = [path for path in columns if path != "*"] or _names(items)
        rows = {path: [_at(item, path) for item in items] for path in paths}
        present = [path for path in paths if any(value is not None for value in rows[path])]
        flat = [path for path in present if not any(map(_is_deep, rows[path]))]
        shown = flat[: max(to.width // _MIN_COLUMN_CHARS, _MIN_COLUMNS)]
        print_table(to, shown, zip(*(rows[path] for path in shown), strict=True))
        if rest := [path for path in present if path not in shown]:
            to.print(Text(f"Not in the table: {', '.join(rest)}. --json has them.", "dim"))
    else:
        for item in items:
            to.print(Text(_cell(item)))
    total = answer.get("totalResultSize")
    of = f" of {total:,}" if isinstance(total, int) else ""
    more = " There are more: skip=N starts further on, fetchAll=N reads N of them."
    to.print(Text(f"{len(items):,}{of}.{more if _has_more(answer) else ''}", "dim"))


def _has_more(answer: Mapping[str, Any]) -> bool:
    total = answer.get("totalResultSize")
    return bool(answer.get("hasMore")) or (isinstance(total, int) and total > len(answer["data"]))


def _print_export(to: Console, answer: Mapping[str, Any]) -> None:
    head, *rows = list(csv.reader(io.StringIO(answer["csv"]))) or [[]]
    print_table(to, head, rows)
    page = answer.get("page", {})
    if "left_out" in page:
        to.print(Text(f"{page['shown']:,} of {page['total']:,} rows.", "dim"))


def _print_fields(to: Console, thing: Mapping[str, Any], depth: int = 0) -> None:
    """Print the single values of an object, then its nested ones, indented."""
    inner = {key: value for key, value in thing.items() if depth < _MAX_DEPTH and _is_deep(value)}
    single = {key: value for key, value in thing.items() if key not in inner}
    for line in in_columns((key, _text(value)) for key, value in single.items()):
        to.print(Padding(Text(line), (0, 0, 0, 2 * depth)))
    for key, value in inner.items():
        to.print(Text(f"{'  ' * depth}{key}", "bold"))
        if isinstance(value, dict):
            _print_fields(to, value, depth + 1)
        else:
            head = _single_values(value)
            print_table(to, head, [[item.get(name) for name in head] for item in value])


def _is_deep(value: Any) -> bool:
    """Tell whether a value has fields of its own, too many for one line."""
    inside = value if isinstance(value, list) else [value]
    return all(isinstance(each, dict) for each in inside) and len(json.dumps(value)) > _CELL_CHARS


def _names(items: Sequence[Mapping[str, Any]]) -> list[str]:
    return [*dict.fromkeys(name for item in items for name in item)]


def _single_values(items: Sequence[Mapping[str, Any]]) -> list[str]:
    deep = {name for item in items for name in item if _is_deep(item[name])}
    return [name for name in _names(items) if name not in deep] or _names(items)


def _at(item: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(item, list):
            item = [each.get(step) for each in item if isinstance(each, dict)]
        elif isinstance(item, dict):
            item = item.get(step) if step != "*" else [*item.values()]
        else:
            return None
    return item


def _cell(value: Any, max_chars: int = _CELL_CHARS) -> str:
    text = _text(value).removesuffix("T00:00:00Z")  # in a column of dates, midnight is noise
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return ", ".join(map(_text, value))
    return json.dumps(value, ensure_ascii=False)
