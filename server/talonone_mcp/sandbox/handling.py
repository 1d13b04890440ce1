"""What every handler of the sandbox is given, and what it gives back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from talonone_mcp.core.catalog import Operation
from talonone_mcp.sandbox.account import USER_ID
from talonone_mcp.sandbox.conditions import Where
from talonone_mcp.sandbox.errors import UpstreamError
from talonone_mcp.sandbox.store import Document, Store
from talonone_mcp.sandbox.times import brief_times


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the operation, its arguments side by side, and what it works on.

    Times among the arguments are in the store's form. `application_id` is the Application of an
    integration key; None in the other APIs. `user_id` is who the Management API is called by,
    `token` the session's, None with a key. `query` and `headers` are the request's own, with what
    the documents leave out.
    """

    operation: Operation
    arguments: Mapping[str, Any]
    store: Store
    now: datetime
    random: Random
    application_id: int | None = None
    user_id: int = USER_ID
    token: str | None = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, kind: str, argument: str, *, parent: str | None = None) -> Document:
        """Return the document that an argument names.

        Args:
            kind: the kind of document.
            argument: the argument that holds its id.
            parent: the document's field that must equal the argument of that name.

        Raises:
            UpstreamError: 404, when there is none, or it belongs to something else.
        """
        number = self.arguments[argument]
        document = self.store.get(kind, int(number)) if str(number).isdecimal() else None
        if document is None or (parent and document[parent] != self.arguments[parent]):
            place = f" in {parent.removesuffix('Id')} {self.arguments[parent]}" if parent else ""
            name = argument.removesuffix("Id")
            raise UpstreamError(404, f"{name} {number} does not exist{place}", resource=name)
        return document

    @property
    def body(self) -> Document:
        """The arguments that are in neither the path nor the query: the body's properties."""
        elsewhere = (*self.operation.path_arguments, *self.operation.query)
        return {key: value for key, value in self.arguments.items() if key not in elsewhere}


@dataclass(frozen=True, slots=True)
class Csv:
    """An export: its columns, and its rows, which are read while they are sent."""

    columns: Sequence[str]
    rows: Iterable[Mapping[str, Any]]

    def lines(self) -> Iterator[bytes]:
        """Yield the text, the header line first."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow(row)
            yield brief_times(text.getvalue().encode())
            text.seek(0)
            text.truncate()
        yield text.getvalue().encode()


Reply = tuple[int, Any]
"""Status and body: `Csv`, None for none at all, and the rest is JSON."""

Handler = Callable[[Call], Reply]


def page(  # noqa: PLR0913 - what a list is made of
    call: Call,
    kind: str,
    *where: Where,
    parent: int | None = None,
    total: bool,
    present: Callable[[Document], Document] | None = None,
    present_all: Callable[[list[Document]], list[Document]] | None = None,
) -> dict[str, Any]:
    """Return the part of a list that the request asks for, sorted as it asks.

    Args:
        call: the request.
        kind: the kind of documents.
        where: conditions that they fulfil.
        parent: what they belong to.
        total: whether upstream says `totalResultSize`; it says `hasMore` otherwise.
        present: makes what upstream shows of a document; None when that is the document.
        present_all: the same for all of them at once, where that needs other documents.
    """
    size, start = _extent(call)
    found = call.store.select(
        kind, *where, parent=parent, sort=call.arguments.get("sort"), limit=size + 1, offset=start
    )
    shown = found[:size]
    if present:
        shown = [present(each) for each in shown]
    if present_all:
        shown = present_all(shown)
    if total:
        return {"totalResultSize": call.store.count(kind, *where, parent=parent), "data": shown}
    return {"hasMore": len(found) > size, "data": shown}


def page_of(call: Call, items: Sequence[Any], *, total: bool) -> dict[str, Any]:
    """Return the part that the request asks for of a list that was computed, in its own order."""
    size, start = _extent(call)
    shown = items[start : start + size]
    if total:
        return {"totalResultSize": len(items), "data": shown}
    return {"hasMore": start + size < len(items), "data": shown}


def _extent(call: Call) -> tuple[int, int]:
    properties = call.operation.input_schema["properties"]
    default = properties["pageSize"].get("default", 1000) if "pageSize" in properties else 1000
    return call.arguments.get("pageSize", default), max(call.arguments.get("skip", 0), 0)


def rows_of(text: str, required: Iterable[str], optional: Iterable[str] = ()) -> Iterator[
    tuple[int, dict[str, str]]
]:  # fmt: skip
    """Yield the lines of an import with their numbers, by columns whose case does not matter.

    Args:
        text: CSV with a header line.
        required: the columns that must be there, in lower case.
        optional: those that may be.

    Raises:
        UpstreamError: 400 with the line, when the columns are others, or a line has more or fewer
            values than columns.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    needed, known = set(required), {*required, *optional}
    try:
        columns = {name.strip().lower() for name in reader.fieldnames or ()}
        if not needed <= columns or not columns <= known:
            wanted = ", ".join(sorted(known))
            must = ", ".join(sorted(needed))
            raise UpstreamError(400, f"the columns are {wanted}; required: {must}", line="1")
        for row in reader:
            if None in row or None in row.values():
                raise UpstreamError(400, "not as many values as columns", line=str(reader.line_num))
            yield reader.line_num, {name.strip().lower(): value for name, value in row.items()}
    except csv.Error as error:
        raise UpstreamError(400, f"no CSV: {error}", line=str(reader.line_num)) from None
