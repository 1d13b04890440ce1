"""Keeps below upstream's limit: at most 3 requests in any second for one endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import anyio

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.progress import Progress, silent

# https://docs.talon.one/management-api: "Rate limit", stated for each endpoint
REQUESTS = 3
PERIOD = 1.0
# Upstream counts when a request arrives, we when it leaves. The way there may take a little
# longer for an earlier request than for a later one. An answer proves that its request has
# arrived, and makes most of the margin needless.
MARGIN = 0.02
_PROVEN = 0.005
LONGEST_PAUSE = 60.0  # seconds that a 429 may hold up an endpoint; who is to wait longer is told
_SLOWEST = 8.0  # seconds for three requests, however often upstream refuses
_RECOVERY = 0.8  # of the slowed period, with each answer that is no 429
_FORGIVEN = 60.0  # seconds after the last 429 in which nobody called: the full rate again
_REPORT = 1.0  # seconds between two reports of one wait


@dataclass(slots=True, eq=False)
class Departure:
    """One request that may go, in seconds of the limiter's clock.

    `at` is when it left and `latest` when it must have arrived. `sent` turns true when its first
    byte goes onto the wire: until then upstream cannot know of it.
    """

    lane: Lane
    at: float
    latest: float
    sent: bool = False


@dataclass(slots=True, eq=False)
class Lane:
    """The requests to one endpoint: the turn, which is handed on in order, and what counts.

    `counted` are those that still take one of the places, `open` how many have not ended. Upstream
    takes three in each `period`, and none before `paused_until`; `slowed_at` is the last 429 that
    changed that.
    """

    turn: anyio.Lock = field(default_factory=anyio.Lock)
    counted: list[Departure] = field(default_factory=list)
    open: int = 0
    period: float = PERIOD
    paused_until: float = -inf
    slowed_at: float = -inf
    changed: anyio.Event | None = None

    def wake(self) -> None:
        """Tell whoever has the turn that a place may have become free."""
        if self.changed is not None:
            self.changed.set()


class Pacer(Protocol):
    """What the client asks of a limiter. Replicas could share one that keeps its lanes apart."""

    async def depart(
        self, deployment: str, endpoint: str, progress: Progress = silent
    ) -> Departure:
        """Wait until one more request to an endpoint of a deployment may go, and count it."""

    def leave(self, departure: Departure) -> None:
        """Note that the request goes onto the wire now: connecting took its time."""

    def answered(self, departure: Departure, refused_for: float | None = None) -> None:
        """Note that upstream answered, with 429 when `refused_for` is given, in seconds."""

    def done(self, departure: Departure) -> None:
        """Note that it is over. The place of a request that was never sent is free again."""


class Limiter:
    """A sliding window for each endpoint, in this process.

    Waiting is fair: whoever came first leaves first. A cancelled waiter takes nothing. A 429 stops
    the endpoint for everyone and halves its rate, which then returns with every other answer.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._lanes: dict[tuple[str, str], Lane] = {}  # the one used last stands last

    @property
    def open(self) -> int:
        """How many departures have not ended."""
        return sum(lane.open for lane in self._lanes.values())

    async def depart(
        self, deployment: str, endpoint: str, progress: Progress = silent
    ) -> Departure:
        """Wait until one more request to `endpoint` is allowed, and count it.

        Whoever gets a departure ends it with `done`. A wait of more than a second is reported,
        about once a second.
        """
        lane = self._lane(deployment, endpoint)
        if not lane.turn.locked() and self._wait(lane) <= 0:
            return self._grant(lane)
        if progress is silent:
            return await self._turn(lane)
        return await self._reported_turn(lane, endpoint, progress)

    def leave(self, departure: Departure) -> None:
        """Note that a request goes onto the wire now, which may be later: connecting takes time."""
        departure.at = self._clock.monotonic()
        departure.latest = departure.at + MARGIN
        departure.sent = True
        departure.lane.wake()

    def answered(self, departure: Departure, refused_for: float | None = None) -> None:
        """Note an answer; `refused_for` is how many seconds a 429 asked to wait."""
        if not departure.sent:
            self.leave(departure)
        now, lane = self._clock.monotonic(), departure.lane
        departure.latest = min(departure.latest, max(now, departure.at + _PROVEN))
        if refused_for is not None:
            until = now + min(refused_for, LONGEST_PAUSE)
            lane.paused_until = max(lane.paused_until, until)
        if departure.at < lane.slowed_at:
            return  # it left before the rate was changed, and says nothing about the new one
        if refused_for is None:
            lane.period = max(PERIOD, lane.period * _RECOVERY)
        else:
            lane.period, lane.slowed_at = min(lane.period * 2, _SLOWEST), now

    def done(self, departure: Departure) -> None:
        """End a departure; when it was never sent, it has not counted."""
        lane = departure.lane
        lane.open -= 1
        if not departure.sent and departure in lane.counted:
            lane.counted.remove(departure)
            lane.wake()

    async def _turn(self, lane: Lane) -> Departure:
        async with lane.turn:
            while (wait := self._wait(lane)) > 0:
                if wait < inf:
                    await self._clock.sleep(wait)
                else:
                    lane.changed = anyio.Event()
                    await lane.changed.wait()
            return self._grant(lane)

    async def _reported_turn(self, lane: Lane, endpoint: str, progress: Progress) -> Departure:
        granted: list[Departure] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._report, lane, endpoint, progress)
                granted.append(await self._turn(lane))
                tasks.cancel_scope.cancel()
        except BaseException:  # cancelled while the report was being ended
            for departure in granted:
                self.done(departure)
            raise
        return granted[0]

    async def _report(self, lane: Lane, endpoint: str, progress: Progress) -> None:
        began = self._clock.monotonic()
        before = lane.turn.statistics().tasks_waiting
        wait = self._wait(lane)
        expected = before // REQUESTS * lane.period + (wait if 0 < wait < inf else 0)
        while True:
            await self._clock.sleep(_REPORT)
            waited = self._clock.monotonic() - began
            left = max(expected - waited, 0)
            message = (
                f"Waiting to call {endpoint}, about {left:.0f} s more: Talon.One limits how"
                " often an endpoint may be called."
            )
            await progress(waited, None, message)

    def _grant(self, lane: Lane) -> Departure:
        now = self._clock.monotonic()
        departure = Departure(lane, now, now + MARGIN)
        lane.counted = [*lane.counted[1 - REQUESTS :], departure]
        lane.open += 1
        return departure

    def _wait(self, lane: Lane) -> float:
        """Return the seconds until a place may be free, `inf` when that depends on connecting."""
        now = self._clock.monotonic()
        lane.counted = [each for each in lane.counted if _counts(each, now)]
        pause = lane.paused_until - now
        if len(lane.counted) < REQUESTS:
            return max(pause, 0)
        ends = (each.latest + lane.period - now for each in lane.counted if each.sent)
        return max(min(ends, default=inf), pause)

    def _lane(self, deployment: str, endpoint: str) -> Lane:
        """Return the lane, and drop those longest unused that nothing depends on any more."""
        key = deployment, endpoint
        lane = self._lanes.pop(key, None) or Lane()
        self._lanes[key] = lane
        now = self._clock.monotonic()
        while (oldest := next(iter(self._lanes))) != key and _idle(self._lanes[oldest], now):
            del self._lanes[oldest]
        return lane


def _counts(departure: Departure, now: float) -> bool:
    return not departure.sent or departure.latest + departure.lane.period > now


def _idle(lane: Lane, now: float) -> bool:
    if lane.open or lane.turn.locked() or any(_counts(each, now) for each in lane.counted):
        return False
    return lane.paused_until <= now and (lane.period == PERIOD or lane.slowed_at + _FORGIVEN < now)
