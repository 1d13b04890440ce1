"""Clocks of the tests: time that passes only where somebody waits for it, and costs nothing."""

from __future__ import annotations

import heapq
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import anyio

from talonone_mcp.core.clock import Clock

_START = 100.0


class Leaping:
    """To sleep is to be there. Those who sleep at the same time share the time that passes.

    The time of day goes on by itself, so that one thing is still later than another.

    `now` is in the seconds of the monotonic clock.
    """

    def __init__(self) -> None:
        self.now = _START
        self.slept: list[float] = []
        self._asleep = 0

    async def sleep(self, seconds: float) -> None:
        wakes = self.now + seconds
        self._asleep += 1
        try:  # where several sleep, each leap leaves the network a moment to do its part
            await anyio.sleep(0.001 if self._asleep > 1 else 0)
        finally:
            self._asleep -= 1
        self.slept.append(seconds)
        self.now = max(self.now, wakes)

    @property
    def clock(self) -> Clock:
        return Clock(
            now=lambda: time.time() + self.now - _START,
            monotonic=lambda: self.now,
            sleep=self.sleep,
        )


class Shared:
    """For many tasks: when all of them wait, time goes on to the first that wakes."""

    def __init__(self) -> None:
        self.now = _START
        self._sleeping: list[tuple[float, int, anyio.Event]] = []
        self._order = count()

    async def sleep(self, seconds: float) -> None:
        woken = anyio.Event()
        entry = (self.now + seconds, next(self._order), woken)
        heapq.heappush(self._sleeping, entry)
        try:
            await woken.wait()
        finally:
            if entry in self._sleeping:
                self._sleeping.remove(entry)
                heapq.heapify(self._sleeping)

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, sleep=self.sleep)

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Let time pass for whatever runs in the context."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass)
            yield
            tasks.cancel_scope.cancel()

    async def _pass(self) -> None:
        while True:
            await anyio.wait_all_tasks_blocked()
            if self._sleeping:
                wakes, _, woken = heapq.heappop(self._sleeping)
                self.now = max(self.now, wakes)
                woken.set()
