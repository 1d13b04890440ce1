"""Decide how often each upstream endpoint may be called.

Replicas can share a pace, so it only decides; `upstream/limiter.py` does the waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple, Protocol

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock

# https://docs.talon.one/management-api: "Rate limit", stated for each endpoint
MAX_REQUESTS_PER_PERIOD = 3
PERIOD_S = 1.0
# A 429 pauses its endpoint no longer than this, whatever it asks for.
MAX_PAUSE_S = 60.0
# Upstream counts a request when it arrives; we count it when it leaves. The margin allows for an
# earlier request that travels longer than a later one. An answer proves that its request has
# arrived, so a smaller margin is then enough.
_MARGIN_S = 0.02
_MARGIN_WHEN_ANSWERED_S = 0.005
_MAX_PERIOD_S = 8.0  # however often upstream refuses
_RECOVERY = 0.8  # each answer other than a 429 multiplies a lengthened period by this
_FORGIVEN_AFTER_S = 60.0  # an unused endpoint returns to full rate so long after its last 429


class Endpoint(NamedTuple):
    """The unit that upstream limits. `route` is a method and path template: `GET /v1/x/{id}`."""

    deployment: str
    route: str


@dataclass(slots=True, eq=False)
class Departure:
    """One request that may go. Times are in seconds of the clock's `monotonic`.

    Attributes:
        endpoint: where it goes.
        left_at: when it left; before it is `sent`, when it was allowed to.
        arrives_by: when it must have arrived.
        sent: whether its first byte is on the wire. Until then, upstream cannot know of it.
    """

    endpoint: Endpoint
    left_at: float
    arrives_by: float
    sent: bool = False


class Pace(Protocol):
    """Decides when a request may go.

    `leave`, `answered` and `done` never wait and may be called in a cancelled scope. A shared
    implementation may propagate them later: a departure counts until it is known to be over.
    """

    @property
    def open_departures(self) -> int:
        """How many departures of this process have not ended."""

    async def reserve(self, endpoint: Endpoint) -> Departure | float:
        """Return a departure, or the seconds after which to ask again.

        The seconds are `inf` if only `leave`, `answered` or `done` can change the answer. Whoever
        gets a departure must end it with `done`.
        """

    async def expected_wait(self, endpoint: Endpoint, ahead: int) -> float:
        """Return about how many seconds a request waits that has `ahead` others before it."""

    def leave(self, departure: Departure) -> None:
        """Note that the request goes onto the wire now; connecting took time."""

    def answered(self, departure: Departure, pause_s: float | None = None) -> None:
        """Note that upstream answered; `pause_s` is set for a 429: the seconds it asked to wait."""

    def done(self, departure: Departure) -> None:
        """Note that the request is over. If it was never sent, it frees its place."""


@dataclass(slots=True, eq=False)
class _Lane:
    """The state of one endpoint. Times are in seconds of the clock's `monotonic`.

    Attributes:
        period: the current length of the window in seconds.
        counted: the departures that still occupy a place in the window.
        open: how many departures have not ended.
        paused_until: when the pause of the last 429 ends.
        slowed_at: when a 429 last lengthened the period.
    """

    period: float
    counted: list[Departure] = field(default_factory=list)
    open: int = 0
    paused_until: float = -inf
    slowed_at: float = -inf

    def counts(self, departure: Departure, now: float) -> bool:
        return not departure.sent or departure.arrives_by + self.period > now


class MemoryPace:
    """A sliding window for each endpoint, in this process.

    A 429 pauses its endpoint for all callers and halves its rate. Every other answer restores some
    of the rate.
    """

    def __init__(
        self,
        clock: Clock = SYSTEM_CLOCK,
        *,
        max_requests: int = MAX_REQUESTS_PER_PERIOD,
        period_s: float = PERIOD_S,
    ) -> None:
        self._clock = clock
        self._max_requests = max_requests
        self._period = period_s
        self._lanes: dict[Endpoint, _Lane] = {}  # the most recently used is last

    @property
    def open_departures(self) -> int:
        """How many departures have not ended."""
        return sum(lane.open for lane in self._lanes.values())

    @property
    def endpoints(self) -> int:
        """How many endpoints it remembers."""
        return len(self._lanes)

    async def reserve(self, endpoint: Endpoint) -> Departure | float:
        """Return a departure, or the seconds after which to ask again; see `Pace`."""
        lane = self._lane(endpoint)
        if (wait := self._wait(lane)) > 0:
            return wait
        now = self._clock.monotonic()
        departure = Departure(endpoint, now, now + _MARGIN_S)
        lane.counted = [*lane.counted[1 - self._max_requests :], departure]
        lane.open += 1
        return departure

    async def expected_wait(self, endpoint: Endpoint, ahead: int) -> float:
        """Return about how many seconds a request waits that has `ahead` others before it."""
        lane = self._lane(endpoint)
        wait = self._wait(lane)
        return ahead // self._max_requests * lane.period + (wait if wait < inf else 0)

    def leave(self, departure: Departure) -> None:
        """Note that the request goes onto the wire now."""
        departure.left_at = self._clock.monotonic()
        departure.arrives_by = departure.left_at + _MARGIN_S
        departure.sent = True

    def answered(self, departure: Departure, pause_s: float | None = None) -> None:
        """Note an answer; `pause_s` is how many seconds a 429 asked to wait."""
        if not departure.sent:
            self.leave(departure)
        now, lane = self._clock.monotonic(), self._lanes[departure.endpoint]
        proven = max(now, departure.left_at + _MARGIN_WHEN_ANSWERED_S)
        departure.arrives_by = min(departure.arrives_by, proven)
        if pause_s is not None:
            lane.paused_until = max(lane.paused_until, now + min(pause_s, MAX_PAUSE_S))
        if departure.left_at < lane.slowed_at:
            return  # it left before the rate changed, so it says nothing about the new one
        if pause_s is None:
            lane.period = max(self._period, lane.period * _RECOVERY)
        else:
            lane.period, lane.slowed_at = min(lane.period * 2, _MAX_PERIOD_S), now

    def done(self, departure: Departure) -> None:
        """End a departure. If it was never sent, it no longer counts."""
        lane = self._lanes[departure.endpoint]
        lane.open -= 1
        if not departure.sent and departure in lane.counted:
            lane.counted.remove(departure)

    def _wait(self, lane: _Lane) -> float:
        """Return the seconds until a place may be free; `inf` if all are still connecting."""
        now = self._clock.monotonic()
        lane.counted = [each for each in lane.counted if lane.counts(each, now)]
        pause = max(lane.paused_until - now, 0)
        if len(lane.counted) < self._max_requests:
            return pause
        ends = (each.arrives_by + lane.period - now for each in lane.counted if each.sent)
        return max(min(ends, default=inf), pause)

    def _lane(self, endpoint: Endpoint) -> _Lane:
        """Return the lane of an endpoint; drop the least recently used ones if idle."""
        lane = self._lanes.pop(endpoint, None) or _Lane(self._period)
        self._lanes[endpoint] = lane
        now = self._clock.monotonic()
        while (oldest := next(iter(self._lanes))) != endpoint and self._idle(
            self._lanes[oldest], now
        ):
            del self._lanes[oldest]
        return lane

    def _idle(self, lane: _Lane, now: float) -> bool:
        if lane.open or any(lane.counts(each, now) for each in lane.counted):
            return False
        full_rate = lane.period == self._period or lane.slowed_at + _FORGIVEN_AFTER_S < now
        return lane.paused_until <= now and full_rate
