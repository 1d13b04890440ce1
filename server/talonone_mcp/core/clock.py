"""The clock: the time of day, elapsed time, and waiting."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio


@dataclass(frozen=True, slots=True)
class Clock:
    """A source of time, passed in wherever time matters so that tests can substitute their own.

    Attributes:
        now: returns the Unix time in seconds. It may jump; use it for dates.
        monotonic: returns seconds since an arbitrary point and never goes back; use it for
            durations.
        sleep: waits for the given number of seconds.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


SYSTEM_CLOCK = Clock()
