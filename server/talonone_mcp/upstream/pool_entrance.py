"""The way of requests into the connection pool of httpx, past what the pool does badly.

Three things that were seen with httpcore 1.0.9. Requests that come at the same moment are all given
the same idle connection, and all but one start again: the cost of a burst grows with its square.
A request that is cancelled between being connected and being sent leaves its connection in the
pool, taken for ever. So does one that is cancelled while it waits for a full pool.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import httpx

AT_ONCE = 100  # requests under way; the pool has a connection for each, so that none waits there
_HAS_CONNECTION = ("connect_tcp.started", "send_request_headers.started")
# Once more when the headers are written: in between, a busy machine may have let us wait.
_SENT = ("send_request_headers.started", "send_request_headers.complete")
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")


class Entrance:
    """Lets requests in one after the other."""

    def __init__(self) -> None:
        self._room = anyio.Semaphore(AT_ONCE, fast_acquire=True)
        self._door = anyio.Lock(fast_acquire=True)

    @asynccontextmanager
    async def passing(
        self, request: httpx.Request, leaves: Callable[[], None]
    ) -> AsyncIterator[None]:
        """Hold a place for a request until its answer has been read.

        Args:
            request: is sent, once, inside the context; it gets the hook by which httpx tells how
                far it is (https://www.encode.io/httpcore/extensions/#trace).
            leaves: is called when its first byte goes onto the wire, and again when its headers
                are there.
        """
        async with self._room:
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
                        leaves()
                    guard.shield = step in _CONNECTED  # a moment: until it is sent

                request.extensions["trace"] = trace
                try:
                    yield
                finally:
                    if at_the_door:
                        self._door.release()
