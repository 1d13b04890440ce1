"""Admits requests to httpx's connection pool one at a time, to avoid what the pool does badly.

Three things seen with httpcore 1.0.9. Requests that come at the same moment are all given the same
idle connection, and all but one start again, so the cost of a burst grows with its square. A
request that is cancelled after its connection opened and before it is sent leaves that connection
taken for ever. So does one that is cancelled while it waits for a full pool.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

MAX_CONCURRENT_REQUESTS = 100  # the pool has a connection for each, so none waits there
_HAS_CONNECTION = ("connect_tcp.started", "send_request_headers.started")
# Again when the headers are written: on a busy machine there may have been a wait in between.
_SENT = ("send_request_headers.started", "send_request_headers.complete")
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """What httpx's pool holds: connections, and requests that are in it or wait for it.

    `busy` connections have a request; `expired` ones are known to be closed by the other end.
    """

    connections: int = 0
    busy: int = 0
    expired: int = 0
    requests: int = 0


class PoolAdmission:
    """Admits requests one after the other."""

    def __init__(self) -> None:
        self._places = anyio.Semaphore(MAX_CONCURRENT_REQUESTS, fast_acquire=True)
        self._door = anyio.Lock(fast_acquire=True)

    @asynccontextmanager
    async def admitted(
        self, request: httpx.Request, on_leave: Callable[[], None]
    ) -> AsyncIterator[None]:
        """Hold a place for a request until its answer has been read.

        Args:
            request: is sent once, inside the context. It is given the hook through which httpx
                tells how far it is (https://www.encode.io/httpcore/extensions/#trace).
            on_leave: is called when the request's first byte goes onto the wire, and again when
                its headers have.
        """
        async with self._places:
            with anyio.CancelScope() as guard:
                await self._door.acquire()
                at_the_door = True

                async def trace(event: str, _: object) -> None:
                    nonlocal at_the_door
                    step = event.partition(".")[2]
                    if at_the_door and step in _HAS_CONNECTION:
                        at_the_door = False
                        self._door.release()
                    if step in _SENT:
                        on_leave()
                    guard.shield = step in _CONNECTED  # for a moment: until it is sent

                request.extensions["trace"] = trace
                try:
                    yield
                finally:
                    if at_the_door:
                        self._door.release()


def pool_counts(http: httpx.AsyncClient) -> PoolCounts:
    """Count what is in the pool. httpx has no public way to see it."""
    pool: Any = getattr(http._transport, "_pool", None)  # an application in-process has none
    if pool is None:
        return PoolCounts()
    return PoolCounts(
        connections=len(pool.connections),
        busy=sum(not each.is_idle() for each in pool.connections),
        expired=sum(each.has_expired() for each in pool.connections),
        requests=len(pool._requests),
    )
