"""Serves what the server keeps as resources: exports in files, cut answers in memory.

A model reads them, so secrets are hidden, invisible characters removed, and personal data masked if
the operator wants that. An export's file stays as upstream sent it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
from mcp import types
from mcp.shared.uri_template import UriTemplate

from talonone_mcp.core.csv_masking import hide_in_csv
from talonone_mcp.core.csv_rows import MAX_READ_BYTES, TooLongError
from talonone_mcp.core.text import clean, one_line
from talonone_mcp.server.resources.kinds import (
    CSV,
    JSON,
    Kind,
    NoResourceError,
    UnreadableError,
    Variables,
)
from talonone_mcp.server.resources.resource_reader import ResourceReader
from talonone_mcp.store.exports import Export, Exports

_DEFAULT_ROWS, _MAX_ROWS = 1000, 10_000  # in one part of an export
_MINUTE_MS = 60_000


def export_link(operation: str, export: Mapping[str, Any]) -> types.ResourceLink:
    """Return the link to an export.

    Args:
        operation: the operation called.
        export: the `export` of its answer.
    """
    return types.ResourceLink(
        uri=export["uri"],
        name=f"{operation}.csv",
        description=f"All {export['rows']:,} rows.",
        mime_type=CSV,
        size=export["bytes"],
    )


def answer_link(operation: str, uri: str) -> types.ResourceLink:
    """Return the link to the full text of a cut answer."""
    return types.ResourceLink(
        uri=uri,
        name=f"{operation}.json",
        description="The full answer, with every field.",
        mime_type=JSON,
    )


def listed_export(export: Export) -> types.Resource:
    """Return the list item of an export."""
    created = datetime.fromtimestamp(export.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return types.Resource(
        uri=export.uri,
        name=f"{export.operation}.csv",
        title=f"{export.operation}, {created}",
        description=f"The answer of {export.operation} at {created}: {export.rows:,} rows.",
        mime_type=CSV,
        size=export.size,
    )


async def _read_export(reader: ResourceReader, variables: Variables) -> str:
    name = str(variables["exportId"])
    export = await anyio.to_thread.run_sync(reader.store.exports.find, name, reader.principal)
    if export is None:
        raise _gone(name)
    try:
        text = await anyio.to_thread.run_sync(_export_text, reader.store.exports, export, variables)
    except FileNotFoundError:
        raise _gone(name) from None
    except OSError as error:
        raise UnreadableError(f"Export {name} cannot be read: {error.strerror}.") from None
    except TooLongError:
        raise UnreadableError(_too_long(reader, export)) from None
    shown: str = (await reader.shown(export.operation, {"csv": clean(hide_in_csv(text))}))["csv"]
    return shown


def _export_text(exports: Exports, export: Export, variables: Variables) -> str:
    if variables.keys() & {"from", "rows"}:
        first = _number(variables, "from", 1, max(export.rows, 1))
        return exports.part(export, first, _number(variables, "rows", _DEFAULT_ROWS, _MAX_ROWS))
    return exports.text(export)


async def _read_answer(reader: ResourceReader, variables: Variables) -> str:
    name = str(variables["answerId"])
    cut_answer = reader.store.cut_answers.find(name, reader.principal)
    if cut_answer is None:
        raise NoResourceError(
            f"There is no answer {one_line(name, 40)!r}. Answers are kept for an hour; call the"
            " operation again."
        )
    if not reader.masked:
        return cut_answer.text
    masked = await reader.shown(cut_answer.operation, json.loads(cut_answer.text))
    return json.dumps(masked, ensure_ascii=False, indent=1)


def _number(variables: Variables, name: str, default: int, maximum: int) -> int:
    """Return a number in a URI.

    Raises:
        UnreadableError: the value is not a whole number from 1 to `maximum`.
    """
    given = str(variables.get(name, default))
    if given.isascii() and given.isdigit() and len(given) <= len(str(maximum)) + 3:
        number = int(given)
        if 1 <= number <= maximum:
            return number
    raise UnreadableError(f"{name} must be a whole number from 1 to {maximum:,}.")


def _gone(name: str) -> NoResourceError:
    return NoResourceError(
        f"There is no export {one_line(name, 40)!r}. Old exports are deleted, also to make room"
        " for new ones; call the operation again."
    )


def _too_long(reader: ResourceReader, export: Export) -> str:
    where = (
        "" if reader.masked else f" The complete file is {reader.store.exports.location(export)}."
    )
    return (
        f"At most {MAX_READ_BYTES:,} bytes can be read at once; the export has {export.size:,}."
        f" Read fewer rows at a time, such as {export.uri}?from=1&rows=100.{where}"
    )


KEPT = (
    Kind(
        UriTemplate.parse("talonone://exports/{exportId}"),
        "export",
        "Export",
        "Everything that an export operation returned. The call's answer has the export's id.",
        CSV,
        _read_export,
        fresh=_MINUTE_MS,
    ),
    Kind(
        UriTemplate.parse("talonone://exports/{exportId}{?from,rows}"),
        "export_rows",
        "Part of an export",
        f"The header and up to {_MAX_ROWS:,} rows of an export, starting at row `from`; the first"
        " row is 1.",
        CSV,
        _read_export,
        fresh=_MINUTE_MS,
    ),
    Kind(
        UriTemplate.parse("talonone://answers/{answerId}"),
        "answer",
        "Full answer",
        "The full text of an answer that was cut to size. That answer's `page.whole` is its URI.",
        JSON,
        _read_answer,
        fresh=_MINUTE_MS,
    ),
)
