"""Clocks of the tests: time that passes only where somebody waits for it."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import anyio
import anyio.lowlevel

from talonone_mcp.core.clock import Clock


class Leaping:
    """For one task at a time: to sleep is to be there."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now, self.sleep)


class Shared:
    """For many tasks: when all of them wait, time goes on to the first that wakes."""

    def __init__(self) -> None:
        self.now = 100.0
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
        return Clock(lambda: self.now, lambda: self.now, self.sleep)

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
