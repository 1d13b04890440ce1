"""The one clock: what time it is, how much time has passed, and how to wait."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio


@dataclass(frozen=True, slots=True)
class Clock:
    """A source of time, passed in wherever time matters so that a test can bring its own.

    Attributes:
        now: returns the time in seconds since 1970 (UTC). It may jump; compare it with dates.
        monotonic: returns seconds from an arbitrary point, and never goes back; measure with it.
        sleep: waits for so many seconds.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


SYSTEM_CLOCK = Clock()
