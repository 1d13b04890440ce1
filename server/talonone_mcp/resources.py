"""What clients may read as resources. Each kind is an entry of `KINDS`: its URI, and who reads it.

What is read goes to a model: hidden characters are removed, and personal data is masked where the
operator wants that. A file of an export is kept as upstream sent it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio.to_thread
from mcp import types
from mcp.shared.uri_template import UriTemplate

from talonone_mcp.answers import Answers
from talonone_mcp.exports import Export, Exports
from talonone_mcp.rows import LONGEST, TooLongError
from talonone_mcp.text import clean, one_line

_LISTED = 100  # exports that are listed; older ones can be read all the same
_ROWS, _MOST_ROWS = 1000, 10_000  # in one part of an export, unless said, and at most
_CSV, _JSON = "text/csv", "application/json"

Variables = Mapping[str, Any]
"""What stands in a URI in the places of its template's variables."""


class NoResourceError(Exception):
    """There is no such resource, any more; the message says what to do."""


class UnreadableError(Exception):
    """The resource cannot be read like this; the message says why, and how it can."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What resources are read from, in whose name, and whether personal data is masked."""

    exports: Exports
    answers: Answers
    principal: str
    masked: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """Resources of one kind: how a client finds them, and how one is read as text."""

    template: UriTemplate
    name: str
    title: str
    description: str
    mime_type: str
    read: Callable[[Sources, Variables], Awaitable[str]]


def templates() -> list[types.ResourceTemplate]:
    """Return the templates of every kind."""
    return [
        types.ResourceTemplate(
            uri_template=str(kind.template),
            name=kind.name,
            title=kind.title,
            description=kind.description,
            mime_type=kind.mime_type,
        )
        for kind in KINDS
    ]


async def listed(sources: Sources) -> list[types.Resource]:
    """Return the resources that are there now: the newest exports."""
    exports = await anyio.to_thread.run_sync(sources.exports.kept, sources.principal)
    return [_listed_export(export) for export in exports[:_LISTED]]


async def read(sources: Sources, uri: str) -> types.ReadResourceResult:
    """Read one resource.

    Raises:
        NoResourceError: there is none.
        UnreadableError: it cannot be read like this.
    """
    for kind in KINDS:
        variables = kind.template.match(uri)
        if variables is not None:
            text = await kind.read(sources, variables)
            contents = types.TextResourceContents(uri=uri, mime_type=kind.mime_type, text=text)
            return types.ReadResourceResult(contents=[contents])
    known = ", ".join(str(kind.template) for kind in KINDS)
    raise NoResourceError(f"There is no resource {one_line(uri, 100)!r}, only {known}.")


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
        mime_type=_CSV,
        size=export["bytes"],
    )


def answer_link(operation: str, uri: str) -> types.ResourceLink:
    """Return the link to the whole of an answer that was cut."""
    return types.ResourceLink(
        uri=uri,
        name=f"{operation}.json",
        description="The whole answer, with every field.",
        mime_type=_JSON,
    )


def _listed_export(export: Export) -> types.Resource:
    created = datetime.fromtimestamp(export.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return types.Resource(
        uri=export.uri,
        name=f"{export.operation}.csv",
        title=f"{export.operation}, {created}",
        description=f"What {export.operation} answered at {created}: {export.rows:,} rows.",
        mime_type=_CSV,
        size=export.size,
    )


async def _read_export(sources: Sources, variables: Variables) -> str:
    name = str(variables["exportId"])
    export = await anyio.to_thread.run_sync(sources.exports.find, name, sources.principal)
    if export is None:
        raise _gone(name)
    try:
        work = partial(_export_text, sources, export, variables)
        return await anyio.to_thread.run_sync(work)
    except FileNotFoundError:
        raise _gone(name) from None
    except OSError as error:
        raise UnreadableError(f"Export {name} cannot be read: {error.strerror}.") from None
    except TooLongError:
        raise UnreadableError(_too_long(sources, export)) from None


def _export_text(sources: Sources, export: Export, variables: Variables) -> str:
    if variables.keys() & {"from", "rows"}:
        first = _number(variables, "from", 1, max(export.rows, 1))
        text = sources.exports.part(export, first, _number(variables, "rows", _ROWS, _MOST_ROWS))
    else:
        text = sources.exports.text(export)
    text = clean(text)
    if sources.masked:
        from talonone_mcp.csv_masking import mask_csv  # noqa: PLC0415 - slow to load, seldom wanted

        text = mask_csv(text)
    return text


async def _read_answer(sources: Sources, variables: Variables) -> str:
    name = str(variables["answerId"])
    kept = sources.answers.find(name, sources.principal)
    if kept is None:
        raise NoResourceError(
            f"There is no answer {one_line(name, 40)!r}. Answers are kept for an hour: call the"
            " operation again."
        )
    if not sources.masked:
        return kept.text
    from talonone_mcp.masking import mask_personal  # noqa: PLC0415 - seldom wanted

    masked = mask_personal(json.loads(kept.text), people=kept.people)
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


def _too_long(sources: Sources, export: Export) -> str:
    where = "" if sources.masked else f" The whole file is {sources.exports.path(export)}."
    return (
        f"More than {LONGEST:,} bytes are not read at once; the export has {export.size:,}. Read it"
        f" in parts of fewer rows, such as {export.uri}?from=1&rows=100.{where}"
    )


KINDS = (
    Kind(
        UriTemplate.parse("talonone://exports/{exportId}"),
        "export",
        "Export",
        "What an export operation answered, as a whole. Its id is in the answer to the call.",
        _CSV,
        _read_export,
    ),
    Kind(
        UriTemplate.parse("talonone://exports/{exportId}{?from,rows}"),
        "export_rows",
        "Part of an export",
        f"The header and up to {_MOST_ROWS:,} rows of an export, from number `from` on; the first"
        " has number 1.",
        _CSV,
        _read_export,
    ),
    Kind(
        UriTemplate.parse("talonone://answers/{answerId}"),
        "answer",
        "Whole answer",
        "All of an answer that was cut for its size. `page.whole` of that answer names it.",
        _JSON,
        _read_answer,
    ),
)
