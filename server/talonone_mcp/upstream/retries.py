"""Which failures are worth another attempt, when, and how many a bad minute may cost."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress
from talonone_mcp.upstream.limiter import LONGEST_PAUSE

ATTEMPTS = 4
_FIRST = 0.25  # seconds: the upper bound of the first wait; that of each next one is double
_EARNED = 0.1  # of a retry, by each call
_SAVED = 10.0  # retries, at most
_PER_SECOND = 0.1  # retries that come back by themselves, for a server that is seldom called
_UNKNOWN = 1.0  # seconds to wait after a 429 that does not say
_GATEWAY = (502, 503, 504)
_T = TypeVar("_T")


class Retries:
    """Repeats attempts, for all calls of the process together.

    About a tenth of the calls may be repeated, and a few more: what upstream cannot bear must not
    be sent four times by everyone.
    """

    def __init__(
        self, clock: Clock = SYSTEM_CLOCK, draw: Callable[[], float] = random.random
    ) -> None:
        """Take the sources of time and chance; `draw` returns a number from 0 to 1."""
        self._clock = clock
        self._draw = draw
        self._saved = _SAVED
        self._counted_at = clock.monotonic()

    async def run(
        self, attempt: Callable[[], Awaitable[_T]], *, ends: float, progress: Progress
    ) -> _T:
        """Return what an attempt returns, after others when it makes sense to repeat it.

        Args:
            attempt: sends once.
            ends: when the call must be over, in seconds of the clock.
            progress: is told about each wait.

        Raises:
            CallError: that of the last attempt, whose hint says how many there were.
        """
        self._earn()
        made = 1
        while True:
            try:
                return await attempt()
            except CallError as error:
                failure = error
            wait = self._backoff(failure, made)
            last = made == ATTEMPTS or not repeatable(failure)
            if last or not self._affordable(failure, wait, ends):
                raise _after(failure, made)
            waiting = f"Attempt {made + 1} of {ATTEMPTS} in {wait:.1f} s."
            await progress(0, None, f"{waiting} {failure.message}")
            await self._clock.sleep(wait)
            if self._clock.monotonic() >= ends:  # a busy machine sleeps longer than it is told
                raise _after(failure, made)
            made += 1

    def _backoff(self, error: CallError, made: int) -> float:
        """Return the seconds to wait: drawn, beyond what upstream asks for.

        The pause that a 429 asks for is not among them: the limiter makes it, for everyone.
        """
        drawn = self._draw() * _FIRST * 2.0 ** (made - 1)
        return drawn if error.kind == "rate_limited" else drawn + (error.after or 0)

    def _affordable(self, error: CallError, wait: float, ends: float) -> bool:
        pause = error.after or 0 if error.kind == "rate_limited" else 0
        if pause > LONGEST_PAUSE or self._clock.monotonic() + wait + pause >= ends:
            return False
        if self._saved < 1:
            return False
        self._saved -= 1
        return True

    def _earn(self) -> None:
        now = self._clock.monotonic()
        earned = _EARNED + (now - self._counted_at) * _PER_SECOND
        self._saved, self._counted_at = min(self._saved + earned, _SAVED), now


def repeatable(error: CallError) -> bool:
    """Return whether the same request may be sent again at once.

    It may when upstream has refused it without looking (429), when nothing was sent, and for a
    read that broke or that a gateway could not pass on. Each of these is `retryable`; a write
    that may have arrived never is.
    """
    passing = error.kind in ("rate_limited", "unreachable") or error.status in _GATEWAY
    return error.retryable and passing


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that upstream asks to wait; None when it does not say.

    A date is compared with the date of the same answer, because clocks differ.
    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until, now = _date(value), _date(headers.get("date", "")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0) if until else None


def refused_for(status: int, headers: Mapping[str, str]) -> float | None:
    """Return how long a 429 stops its endpoint, in seconds; None for any other answer."""
    if status != 429:  # noqa: PLR2004 - a status says more than a name for it
        return None
    asked = retry_after(headers)
    return _UNKNOWN if asked is None else asked


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _after(error: CallError, made: int) -> CallError:
    if made > 1:
        error.hint = f"Tried {made} times. {error.hint}".strip()
    return error
