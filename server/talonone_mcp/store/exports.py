"""Exports: CSV that is too much for an answer, kept until it is old.

An export streams in, whatever its size, and is read as the resource
`talonone://exports/{exportId}`, whole or in parts.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from talonone_mcp.core.progress import Progress, silent

EXPORTS_URI = "talonone://exports/"


@dataclass(frozen=True, slots=True)
class Export:
    """A complete export.

    `rows` does not count the header, `size` is in bytes, `created` in seconds since 1970, UTC.
    """

    id: str
    principal: str
    operation: str
    columns: tuple[str, ...]
    rows: int
    size: int
    created: float

    @property
    def uri(self) -> str:
        """The resource that holds it."""
        return EXPORTS_URI + self.id


class Draft(Protocol):
    """An export that is coming in: the sink of its body."""

    beginning: bytes
    """The first bytes, for a summary; all of them where there are few."""

    def restart(self) -> None:
        """Forget what was written: the body begins anew.

        Raises:
            CallError: `blocked`, when it cannot be kept.
        """

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            CallError: `blocked`, when they cannot be kept, or are more than may be.
        """


class Exports(Protocol):
    """The exports of one deployment, each readable by the principal whose call made it."""

    def receiving(self, progress: Progress = silent) -> AbstractAsyncContextManager[Any]:
        """Open a draft. Unless it is kept by the end, nothing is left of it.

        Raises:
            CallError: `blocked`, when there is no place for it.
        """

    async def keep(self, draft: Any, operation: str, principal: str) -> Export:
        """Complete a draft of this store, and drop exports that are too old or too much.

        Raises:
            CallError: `blocked`, when it cannot be kept.
        """

    def kept(self, principal: str) -> list[Export]:
        """Return the exports of a principal, the newest first."""

    def find(self, name: str, principal: str) -> Export | None:
        """Return one export; None if it is not there (any more) or belongs to somebody else."""

    def location(self, export: Export) -> str:
        """Return where a person finds the whole file, as upstream sent it."""

    def text(self, export: Export) -> str:
        """Return the whole export.

        Raises:
            TooLongError: it is longer than what can be read at once.
            OSError: it cannot be read, or is gone by now.
        """

    def part(self, export: Export, first: int, count: int) -> str:
        """Return the header and `count` rows from number `first` on, counted from 1.

        Raises:
            TooLongError: they are longer than what can be read at once.
            OSError: the export cannot be read, or is gone by now.
        """
