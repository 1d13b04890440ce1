"""What goes over the wire: a request, its answer, and where the body of an export goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request to upstream, still without base URL and authentication.

    Attributes:
        path: percent-encoded.
        query: percent-encoded.
        content: the body as JSON text. With `form_field`, what that field of a form uploads: its
            text, or the path of a file that is streamed.
        form_field: the name of the form's field.
        headers: besides those that are always sent.
        secrets: values in it that must not come back in an answer or an error.
        application: the Application whose key is used.
    """

    path: str
    query: str = ""
    content: str | Path | None = None
    form_field: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    application: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: the status, and what the body holds (a JSON value, CSV text, or nothing).

    `body` is None, too, if it went into a sink.
    """

    status: int
    body: Any = None


class Sink(Protocol):
    """Where the body of an export goes, piece by piece. What its methods raise ends the call."""

    def restart(self) -> None:
        """Forget what was written: a body begins, the first time or again with a retry."""

    async def write(self, chunk: bytes) -> None:
        """Take the next piece: decompressed, without byte order mark and without secrets."""
