"""Keeps requests below upstream's limit by letting each wait for its turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import anyio

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.store.pace import Departure, Endpoint, MemoryPace, Pace

_REPORT_EVERY_S = 1.0


@dataclass(slots=True, eq=False)
class _Queue:
    """Those who wait for one endpoint; it exists only while somebody does."""

    turn: anyio.Lock = field(default_factory=anyio.Lock)
    waiting: int = 0
    changed: anyio.Event = field(default_factory=anyio.Event)


class Limiter:
    """Waits for what the pace decides.

    Waiting is fair: first come, first served. A cancelled waiter takes no place.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK, pace: Pace | None = None) -> None:
        """Take the clock, and the pace to keep; by default one of this process alone."""
        self._clock = clock
        self._pace = pace or MemoryPace(clock)
        self._queues: dict[Endpoint, _Queue] = {}

    @property
    def open_departures(self) -> int:
        """How many departures have not ended."""
        return self._pace.open_departures

    async def depart(self, endpoint: Endpoint, progress: Progress = silent) -> Departure:
        """Wait until one more request to the endpoint is allowed, and count it.

        Whoever gets a departure ends it with `done`.

        Args:
            endpoint: where the request goes.
            progress: is told about a wait of more than a second, about once a second.
        """
        if endpoint not in self._queues:
            granted = await self._pace.reserve(endpoint)
            if isinstance(granted, Departure):
                return granted
        queue = self._queues.setdefault(endpoint, _Queue())
        queue.waiting += 1
        try:
            if progress is silent:
                return await self._turn(queue, endpoint)
            return await self._reported_turn(queue, endpoint, progress)
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                del self._queues[endpoint]

    def leave(self, departure: Departure) -> None:
        """Note that the request goes onto the wire now: connecting took time."""
        self._pace.leave(departure)
        self._wake(departure.endpoint)

    def answered(self, departure: Departure, pause_s: float | None = None) -> None:
        """Note an answer; `pause_s` is how many seconds a 429 asked to wait."""
        self._pace.answered(departure, pause_s)
        self._wake(departure.endpoint)

    def done(self, departure: Departure) -> None:
        """End a departure. If it was never sent, it has not counted."""
        self._pace.done(departure)
        self._wake(departure.endpoint)

    def _wake(self, endpoint: Endpoint) -> None:
        """Tell whoever has the turn that a place may have become free."""
        if queue := self._queues.get(endpoint):
            queue.changed.set()

    async def _turn(self, queue: _Queue, endpoint: Endpoint) -> Departure:
        async with queue.turn:
            while True:
                queue.changed = anyio.Event()  # before asking, so that no change is missed
                granted = await self._pace.reserve(endpoint)
                if isinstance(granted, Departure):
                    return granted
                if granted < inf:
                    await self._clock.sleep(granted)
                else:
                    await queue.changed.wait()

    async def _reported_turn(
        self, queue: _Queue, endpoint: Endpoint, progress: Progress
    ) -> Departure:
        granted: list[Departure] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._report, queue, endpoint, progress)
                granted.append(await self._turn(queue, endpoint))
                tasks.cancel_scope.cancel()
        except BaseException:  # cancelled while the report was ending
            for departure in granted:
                self.done(departure)
            raise
        return granted[0]

    async def _report(self, queue: _Queue, endpoint: Endpoint, progress: Progress) -> None:
        began = self._clock.monotonic()
        ahead = queue.turn.statistics().tasks_waiting
        expected = await self._pace.expected_wait(endpoint, ahead)
        while True:
            await self._clock.sleep(_REPORT_EVERY_S)
            waited = self._clock.monotonic() - began
            left = max(expected - waited, 0)
            message = (
                f"Waiting to call {endpoint.route}, about {left:.0f} s more: Talon.One limits how"
                " often an endpoint may be called."
            )
            await progress(waited, None, message)
