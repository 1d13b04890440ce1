"""Upstream's rate limit."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from talonone_mcp.sandbox.ground.refusals import RefusalError

_REQUESTS, _PERIOD = 3, 1.0  # https://docs.talon.one/management-api: per second, for each endpoint


class RateLimit:
    """At most three requests in any second to one endpoint; refused ones do not count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._recent: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REQUESTS))

    def count(self, endpoint: str) -> None:
        """Count a request.

        Raises:
            RefusalError: 429, when it is one too many.
        """
        recent, now = self._recent[endpoint], self._clock()
        if len(recent) == _REQUESTS and now - recent[0] < _PERIOD:
            raise RefusalError(429, "too many requests")
        recent.append(now)
