"""Exports: CSV that is too long for an answer, kept for a limited time.

An export of any size is streamed in. Clients read it as the resource
`talonone://exports/{exportId}`, all of it or in parts.
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

    `rows` excludes the header, `size` is in bytes, and `created` is a Unix time in seconds.
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
    """An incoming export: the sink for its body."""

    beginning: bytes
    """The first bytes, for a summary; all of them if the export is short."""

    def restart(self) -> None:
        """Discard what was written: the body starts over.

        Raises:
            CallError: `blocked`, if the export cannot be stored.
        """

    async def write(self, chunk: bytes) -> None:
        """Append the next bytes of the body.

        Raises:
            CallError: `blocked`, if they cannot be stored or exceed the size limit.
        """


class Exports(Protocol):
    """The exports of one deployment, each readable only by the principal who made the call."""

    def receiving(self, progress: Progress = silent) -> AbstractAsyncContextManager[Any]:
        """Open a draft. On exit, it is deleted unless `keep` has completed it.

        Raises:
            CallError: `blocked`, if there is no room for it.
        """

    async def keep(self, draft: Any, operation: str, principal: str) -> Export:
        """Complete a draft of this store; drop exports beyond the limits of age, number and size.

        Raises:
            CallError: `blocked`, if the export cannot be stored.
        """

    def kept(self, principal: str) -> list[Export]:
        """Return the exports of a principal, newest first."""

    def find(self, name: str, principal: str) -> Export | None:
        """Return one export; None if it does not exist, is gone or belongs to another principal."""

    def location(self, export: Export) -> str:
        """Return where people find the complete file, as upstream sent it."""

    def text(self, export: Export) -> str:
        """Return the complete export.

        Raises:
            TooLongError: it is too long to read at once.
            OSError: it cannot be read, or is gone.
        """

    def part(self, export: Export, first: int, count: int) -> str:
        """Return the header and up to `count` rows, starting at row `first` (the first row is 1).

        Raises:
            TooLongError: they are too long to read at once.
            OSError: the export cannot be read, or is gone.
        """
