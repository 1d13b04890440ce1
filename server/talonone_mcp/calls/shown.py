"""What upstream showed of a thing that a call is about to change, read only when it is needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

_UNREAD: Final = object()


class BeforeNeededError(Exception):
    """What a call does cannot be told without the operation's `before` read."""


class RehearsalNeededError(Exception):
    """What a call does cannot be told without the same call as a dry run."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was read for one call.

    Attributes:
        problem: why what is there could not be read; "" if it could, or was not read.
        already: the identifiers of an import's rows that are there already, as far as one page of
            upstream's list tells.
    """

    problem: str = ""
    already: tuple[str, ...] = ()
    _before: Any = _UNREAD
    _rehearsal: Any = _UNREAD

    @property
    def before(self) -> Any:
        """What is there; None if it cannot be read.

        Raises:
            BeforeNeededError: it was not read yet.
        """
        if self._before is _UNREAD:
            raise BeforeNeededError
        return self._before

    @property
    def rehearsal(self) -> Any:
        """Upstream's answer to the dry run of the call.

        Raises:
            RehearsalNeededError: there was none yet.
        """
        if self._rehearsal is _UNREAD:
            raise RehearsalNeededError
        return self._rehearsal

    @property
    def is_read(self) -> bool:
        """Whether anything was read."""
        return self._before is not _UNREAD or self._rehearsal is not _UNREAD

    @property
    def state(self) -> Any:
        """What is there, if that was read; otherwise None."""
        return None if self._before is _UNREAD else self._before

    def with_before(self, before: Any, problem: str = "") -> Shown:
        """Return this with what is there; None if it could not be read, with the reason."""
        return replace(self, _before=before, problem=problem)

    def with_rehearsal(self, rehearsal: Any) -> Shown:
        """Return this with the answer to the dry run."""
        return replace(self, _rehearsal=rehearsal)
