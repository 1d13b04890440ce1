"""What every handler of the sandbox is given, gives back, and refuses with."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from typing import Any

from talonone_mcp.catalog import Operation
from talonone_mcp.sandbox.store import Document, Store

ACCOUNT_ID = 3886
USER_ID = 388
USER_NAME = "Sandbox User"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the operation, its arguments side by side, and what it works on.

    `application_id` is the Application of an integration key; None for a Management API key.
    """

    operation: Operation
    arguments: Mapping[str, Any]
    store: Store
    now: datetime
    random: Random
    application_id: int | None = None

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
        document = self.store.get(kind, int(number)) if str(number).isdigit() else None
        if document is None or (parent and document[parent] != self.arguments[parent]):
            place = f" in {parent.removesuffix('Id')} {self.arguments[parent]}" if parent else ""
            name = argument.removesuffix("Id")
            raise UpstreamError(404, f"{name} {number} does not exist{place}", resource=name)
        return document


Reply = tuple[int, Any]
"""Status and body. A body of type str is CSV, None is none at all, and the rest is JSON."""

Handler = Callable[[Call], Reply]


class UpstreamError(Exception):
    """An answer that is no success, in upstream's form."""

    def __init__(self, status: int, message: str, **source: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "message": message,
            "errors": [{"title": HTTPStatus(status).phrase, "source": source}],
            "StatusCode": status,
        }


def stamp(time: datetime) -> str:
    """Write a time as upstream does: UTC, RFC 3339."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """Read an RFC 3339 time."""
    return datetime.fromisoformat(text)


def page(call: Call, documents: list[Document], *, total: bool) -> dict[str, Any]:
    """Sort and cut a list as the request asks; with its `totalResultSize`, or with `hasMore`."""
    documents = _sorted(documents, call.arguments.get("sort"))
    default = call.operation.input_schema["properties"]["pageSize"]["default"]
    size = call.arguments.get("pageSize", default)
    start = max(call.arguments.get("skip", 0), 0)
    shown = documents[start : start + size]
    if total:
        return {"totalResultSize": len(documents), "data": shown}
    return {"hasMore": start + size < len(documents), "data": shown}


def _sorted(documents: list[Document], field: str | None) -> list[Document]:
    """Sort by a field; what does not have it comes last, in the order in which it was."""
    if not field:
        return documents
    name = field.removeprefix("-")

    def has_it(document: Document) -> bool:
        return isinstance(document.get(name), (str, int, float))

    having = sorted(
        filter(has_it, documents),
        key=lambda document: (isinstance(document[name], str), document[name]),
        reverse=field.startswith("-"),
    )
    return having + [document for document in documents if not has_it(document)]


def contains(text: object, part: str) -> bool:
    """Tell whether upstream's filters by name find `part` in `text`: case does not matter."""
    return part.casefold() in str(text).casefold()


def within(document: Document, field: str, after: str | None, before: str | None) -> bool:
    """Tell whether a document's time lies between two given ones; without a time it never does."""
    if after is None and before is None:
        return True
    if not document.get(field):
        return False
    at = moment(document[field])
    return (after is None or at >= moment(after)) and (before is None or at <= moment(before))


def has_attributes(document: Document, attributes: Mapping[str, Any]) -> bool:
    """Tell whether a document has all the given custom attributes; it may have others too."""
    own = document.get("attributes", {})
    return all(name in own and own[name] == value for name, value in attributes.items())


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as upstream's exports do, with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
