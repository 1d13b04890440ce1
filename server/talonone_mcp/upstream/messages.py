"""What goes through the client: a request, its answer, and where the body of an export goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One upstream request, without what the client adds: base URL and authentication.

    `path` and `query` are percent-encoded. `content` is the body: JSON text, or, with `form_field`,
    what goes into that field of a form as a file: its text, or the path of a file that is streamed.
    `secrets` are values in it that must not come back in an answer or an error. `application` is
    whose key is used.
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

    `body` is None as well when it went into a sink.
    """

    status: int
    body: Any = None


class Sink(Protocol):
    """Where the body of an export goes, piece by piece. What its methods raise ends the call."""

    def restart(self) -> None:
        """Forget what was written: a body begins, at first and again with each retry."""

    async def write(self, chunk: bytes) -> None:
        """Take the next piece: decompressed, without byte order mark and without secrets."""
