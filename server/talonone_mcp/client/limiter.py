"""Keeps below upstream's limit: at most 3 requests in any second for one endpoint."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

# https://docs.talon.one/management-api: "Rate limit", stated for each endpoint
REQUESTS = 3
PERIOD = 1.0
# Upstream counts when a request arrives, we when it leaves. The way there may take a little
# longer for an earlier request than for a later one.
MARGIN = 0.02


@dataclass(slots=True)
class Departure:
    """One request that may go: when it left, in seconds of the limiter's clock.

    `sent` turns true when its first byte goes onto the wire. Until then upstream cannot know of it.
    """

    at: float
    sent: bool = False


@dataclass(slots=True)
class _Lane:
    """The requests to one endpoint: the turn, which is handed on in order, and the last few."""

    turn: anyio.Lock = field(default_factory=anyio.Lock)
    recent: deque[Departure] = field(default_factory=lambda: deque(maxlen=REQUESTS))


class Limiter:
    """A sliding window for each endpoint, in this process.

    Waiting is fair: whoever came first leaves first. A cancelled waiter takes nothing.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lanes: dict[str, _Lane] = {}

    async def depart(self, endpoint: str) -> Departure:
        """Wait until one more request to `endpoint` is allowed, and count it."""
        lane = self._lanes.setdefault(endpoint, _Lane())
        async with lane.turn:
            while (wait := self._wait(lane)) > 0:
                await self._sleep(wait)
            departure = Departure(self._clock())
            lane.recent.append(departure)
            return departure

    def leave(self, departure: Departure) -> None:
        """Note that a request goes onto the wire now, which may be later: connecting takes time."""
        departure.at = self._clock()
        departure.sent = True

    def _wait(self, lane: _Lane) -> float:
        if len(lane.recent) < REQUESTS:
            return 0
        # The oldest by departure: with new connections, that is not always the first counted.
        return min(each.at for each in lane.recent) + PERIOD + MARGIN - self._clock()
