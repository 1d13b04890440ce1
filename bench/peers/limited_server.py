"""An upstream for `bench/client.py`: answers at once, and enforces 3 requests in any one second.

Counted strictly, by method and path, when a request arrives. What begins with `/free/` is not
counted, `/slow/` answers in pieces, and `/figures` tells what was refused. It prints its port.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque

LIMIT, PERIOD = 3, 1.0
SLOW = 0.005  # seconds between two pieces
figures = {"arrived": 0, "refused": 0}
recent: dict[bytes, deque[float]] = defaultdict(lambda: deque(maxlen=LIMIT))


def answer(status: str, body: bytes, kind: str = "application/json") -> bytes:
    """Frame an answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def refused(endpoint: bytes, now: float) -> bool:
    """Count an arrival, and tell whether it is one too many. Those too many do not count."""
    figures["arrived"] += 1
    times = recent[endpoint]
    if len(times) == LIMIT and now - times[0] < PERIOD:
        figures["refused"] += 1
        return True
    times.append(now)
    return False


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, bodies thrown away."""

    def __init__(self) -> None:
        self.unread = b""
        self.body = 0  # bytes of a body that are still to come
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """Stop what is being answered."""
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.unread += data
        while True:
            dropped = min(self.body, len(self.unread))
            self.unread, self.body = self.unread[dropped:], self.body - dropped
            head, end, rest = self.unread.partition(b"\r\n\r\n")
            if self.body or not end:
                return
            self.unread = rest
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    self.body = int(line[15:])
            self.respond(head.partition(b" HTTP/")[0])

    def respond(self, endpoint: bytes) -> None:
        """Answer one request."""
        path = endpoint.partition(b" ")[2]
        if path == b"/figures":
            self.transport.write(answer("200 OK", json.dumps(figures).encode()))
        elif path.startswith(b"/slow/"):
            self.task = asyncio.get_running_loop().create_task(self.slowly())
        elif not path.startswith(b"/free/") and refused(
            endpoint, asyncio.get_running_loop().time()
        ):
            self.transport.write(answer("429 Too Many Requests", b"{}"))
        else:
            self.transport.write(answer("200 OK", b'{"id": 18, "name": "Summer"}'))

    async def slowly(self) -> None:
        """Answer a text in pieces."""
        whole = answer("200 OK", b"id,name\r\n" + b"18,Summer\r\n" * 20, "text/csv")
        for start in range(0, len(whole), 60):
            await asyncio.sleep(SLOW)
            self.transport.write(whole[start : start + 60])


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
