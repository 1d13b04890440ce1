"""Which failures are retried, when, and how many retries a bad minute may cost."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress
from talonone_mcp.store.pace import MAX_PAUSE_S

MAX_ATTEMPTS = 4
_FIRST_WAIT_S = 0.25  # at most, before the first retry; doubles with each retry
# Retries are paid from a budget, which all calls of the process share.
_MAX_RETRIES_SAVED = 10.0
_RETRIES_EARNED_PER_CALL = 0.1
_RETRIES_EARNED_PER_S = 0.1  # for a server that is seldom called
_DEFAULT_PAUSE_S = 1.0  # after a 429 that does not say how long to wait
_GATEWAY_STATUSES = (502, 503, 504)
_T = TypeVar("_T")


class Retries:
    """Retries for all calls of the process.

    About a tenth of the calls may be retried, and a few more: when upstream is overloaded, four
    attempts by everyone would make it worse.
    """

    def __init__(
        self, clock: Clock = SYSTEM_CLOCK, draw: Callable[[], float] = random.random
    ) -> None:
        """Take the clock and the source of chance; `draw` returns a number from 0 to 1."""
        self._clock = clock
        self._draw = draw
        self._saved = _MAX_RETRIES_SAVED
        self._counted_at = clock.monotonic()

    async def run(
        self, attempt: Callable[[], Awaitable[_T]], *, ends: float, progress: Progress
    ) -> _T:
        """Return what an attempt returns, after retries where they make sense.

        Args:
            attempt: sends once.
            ends: when the call must be over, in seconds of the clock.
            progress: is told about each wait.

        Raises:
            CallError: the last attempt's; its hint says how many there were.
        """
        self._earn()
        made = 1
        while True:
            try:
                return await attempt()
            except CallError as error:
                failure = error
            wait = self._backoff(failure, made)
            last = made == MAX_ATTEMPTS or not may_resend(failure)
            if last or not self._affordable(failure, wait, ends):
                raise _with_attempts(failure, made)
            waiting = f"Attempt {made + 1} of {MAX_ATTEMPTS} in {wait:.1f} s."
            await progress(0, None, f"{waiting} {failure.message}")
            await self._clock.sleep(wait)
            if self._clock.monotonic() >= ends:  # a busy machine oversleeps
                raise _with_attempts(failure, made)
            made += 1

    def _backoff(self, error: CallError, made: int) -> float:
        """Return the seconds to wait: random, on top of what upstream asks for.

        The pause that a 429 asks for is not included: the limiter makes everyone wait for it.
        """
        drawn = self._draw() * _FIRST_WAIT_S * 2.0 ** (made - 1)
        return drawn if error.kind == "rate_limited" else drawn + (error.after or 0)

    def _affordable(self, error: CallError, wait: float, ends: float) -> bool:
        pause = error.after or 0 if error.kind == "rate_limited" else 0
        if pause > MAX_PAUSE_S or self._clock.monotonic() + wait + pause >= ends:
            return False
        if self._saved < 1:
            return False
        self._saved -= 1
        return True

    def _earn(self) -> None:
        now = self._clock.monotonic()
        earned = _RETRIES_EARNED_PER_CALL + (now - self._counted_at) * _RETRIES_EARNED_PER_S
        self._saved, self._counted_at = min(self._saved + earned, _MAX_RETRIES_SAVED), now


def may_resend(error: CallError) -> bool:
    """Return whether the same request may be sent again soon.

    It may if upstream refused it unseen (429), if nothing was sent, and if it is a read that broke
    or that a gateway could not pass on. All of these are `retryable`; a write that may have arrived
    never is.
    """
    passing = error.kind in ("rate_limited", "unreachable") or error.status in _GATEWAY_STATUSES
    return error.retryable and passing


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that upstream asks to wait; None if it does not say.

    A date is compared with the answer's own, because clocks differ; without one, with `now`, in
    seconds since 1970. Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until, answered = _timestamp(value), _timestamp(headers.get("date", ""))
    return None if until is None else max(until - (now if answered is None else answered), 0)


def pause_asked_for(status: int, headers: Mapping[str, str], now: float) -> float | None:
    """Return how long a 429 stops its endpoint, in seconds; None for any other answer.

    `now` is the time in seconds since 1970.
    """
    if status != 429:  # noqa: PLR2004 - a status says more than a name for it
        return None
    asked = retry_after(headers, now)
    return _DEFAULT_PAUSE_S if asked is None else asked


def _timestamp(date: str) -> float | None:
    try:
        parsed = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _with_attempts(error: CallError, made: int) -> CallError:
    if made > 1:
        error.hint = f"Tried {made} times. {error.hint}".strip()
    return error
