"""What the server keeps, as resources: exports in files, and answers that were cut in memory.

What is read goes to a model: hidden characters are removed, and personal data is masked where the
operator wants that. A file of an export is kept as upstream sent it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
from mcp import types
from mcp.shared.uri_template import UriTemplate

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

_ROWS, _MAX_ROWS = 1000, 10_000  # in one part of an export, unless said, and at most
_MINUTE = 60_000  # milliseconds


def export_link(operation: str, export: Mapping[str, Any]) -> types.ResourceLink:
    """Return the link to an export.

    Args:
        operation: what was called.
        export: what its caller is told of it.
    """
    return types.ResourceLink(
        uri=export["uri"],
        name=f"{operation}.csv",
        description=f"All {export['rows']:,} rows.",
        mime_type=CSV,
        size=export["bytes"],
    )


def answer_link(operation: str, uri: str) -> types.ResourceLink:
    """Return the link to the whole of an answer that was cut."""
    return types.ResourceLink(
        uri=uri,
        name=f"{operation}.json",
        description="The whole answer, with every field.",
        mime_type=JSON,
    )


def listed_export(export: Export) -> types.Resource:
    """Return an export as a list of resources shows it."""
    created = datetime.fromtimestamp(export.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return types.Resource(
        uri=export.uri,
        name=f"{export.operation}.csv",
        title=f"{export.operation}, {created}",
        description=f"What {export.operation} answered at {created}: {export.rows:,} rows.",
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
    shown: str = (await reader.shown(export.operation, {"csv": clean(text)}))["csv"]
    return shown


def _export_text(exports: Exports, export: Export, variables: Variables) -> str:
    if variables.keys() & {"from", "rows"}:
        first = _number(variables, "from", 1, max(export.rows, 1))
        return exports.part(export, first, _number(variables, "rows", _ROWS, _MAX_ROWS))
    return exports.text(export)


async def _read_answer(reader: ResourceReader, variables: Variables) -> str:
    name = str(variables["answerId"])
    kept = reader.store.cut_answers.find(name, reader.principal)
    if kept is None:
        raise NoResourceError(
            f"There is no answer {one_line(name, 40)!r}. Answers are kept for an hour: call the"
            " operation again."
        )
    if not reader.masked:
        return kept.text
    masked = await reader.shown(kept.operation, json.loads(kept.text))
    return json.dumps(masked, ensure_ascii=False, indent=1)


def _number(variables: Variables, name: str, default: int, most: int) -> int:
    """Return a number of a URI.

    Raises:
        UnreadableError: it is none from 1 to `most`.
    """
    given = str(variables.get(name, default))
    if given.isascii() and given.isdigit() and len(given) <= len(str(most)) + 3:
        number = int(given)
        if 1 <= number <= most:
            return number
    raise UnreadableError(f"{name} must be a whole number from 1 to {most:,}.")


def _gone(name: str) -> NoResourceError:
    return NoResourceError(
        f"There is no export {one_line(name, 40)!r}. Exports are deleted when they are old, or"
        " others need their place: call the operation again."
    )


def _too_long(reader: ResourceReader, export: Export) -> str:
    where = "" if reader.masked else f" The whole file is {reader.store.exports.location(export)}."
    return (
        f"More than {MAX_READ_BYTES:,} bytes are not read at once; the export has {export.size:,}."
        f" Read it in parts of fewer rows, such as {export.uri}?from=1&rows=100.{where}"
    )


KEPT = (
    Kind(
        UriTemplate.parse("talonone://exports/{exportId}"),
        "export",
        "Export",
        "What an export operation answered, as a whole. Its id is in the answer to the call.",
        CSV,
        _read_export,
        fresh=_MINUTE,
    ),
    Kind(
        UriTemplate.parse("talonone://exports/{exportId}{?from,rows}"),
        "export_rows",
        "Part of an export",
        f"The header and up to {_MAX_ROWS:,} rows of an export, from number `from` on; the first"
        " has number 1.",
        CSV,
        _read_export,
        fresh=_MINUTE,
    ),
    Kind(
        UriTemplate.parse("talonone://answers/{answerId}"),
        "answer",
        "Whole answer",
        "All of an answer that was cut for its size. `page.whole` of that answer names it.",
        JSON,
        _read_answer,
        fresh=_MINUTE,
    ),
)
