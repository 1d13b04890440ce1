"""An upstream on real sockets whose every next request meets the next fault of a script."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import anyio

Fault = Callable[[socket.socket, "Faulty"], bool]
"""Answers a request that was read, or does not; returns whether the connection stays."""

GOOD_BODY = b'{"id": 18}'


@dataclass(frozen=True, slots=True)
class Received:
    """A request that was read to its end, and when, by the clock of the test."""

    method: str
    path: str
    body: bytes
    at: float


@dataclass(slots=True)
class Faulty:
    """A running one. When the script is at its end, every request gets a good answer."""

    url: str
    now: Callable[[], float]
    script: deque[Fault] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    abandoned: int = 0
    tls: ssl.SSLContext | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def meet(self, *faults: Fault) -> None:
        """Add faults to the script."""
        self.script.extend(faults)

    async def left(self) -> None:
        """Wait until a client has gone away from a request that stalled."""
        while not self.abandoned:  # noqa: ASYNC110 - it happens in another thread
            await anyio.sleep(0.001)

    async def reached(self, count: int) -> None:
        """Wait until so many requests have been received."""
        while len(self.received) < count:  # noqa: ASYNC110 - it happens in another thread
            await anyio.sleep(0.001)

    @property
    def paths(self) -> list[str]:
        """What was received, in order."""
        return [each.path for each in self.received]


def answer(
    status: int = 200,
    body: bytes = GOOD_BODY,
    kind: str = "application/json",
    *,
    length: int | None = None,
    stays: bool = True,
    **headers: str,
) -> Fault:
    """Answer, perhaps with a Content-Length that is not the body's, and perhaps close then."""
    lines = [f"HTTP/1.1 {status} x", f"Content-Type: {kind}"]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + body

    def write(connection: socket.socket, _: Faulty) -> bool:
        connection.sendall(whole)
        return stays

    return write


def reset(connection: socket.socket, _: Faulty) -> bool:
    """Break the connection off without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def reset_unread(connection: socket.socket, faulty: Faulty) -> bool:
    """Break it off before the request was read. The loop knows this one by its name."""
    return reset(connection, faulty)


def stall(connection: socket.socket, faulty: Faulty) -> bool:
    """Answer nothing until the client goes away."""
    connection.recv(1)
    faulty.abandoned += 1
    return False


def stall_within(connection: socket.socket, faulty: Faulty) -> bool:
    """Begin a good answer, and then as above."""
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    )
    return stall(connection, faulty)


def trickle(connection: socket.socket, faulty: Faulty) -> bool:
    """Answer byte by byte, each well within any timeout, and without an end."""
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 99999\r\n\r\n"
    )
    while not faulty.over.wait(0.01):
        connection.sendall(b"x")
    return False


GOOD = answer()
SHORT = answer(length=500, stays=False)  # the connection ends before the body does
LONG = answer(length=4)  # there is more than was said
CLOSES_IDLE = answer(stays=False)  # a good answer; the next request finds the connection closed
REDIRECT = answer(307, b"", Location="https://user:key@elsewhere.example/v1/x?token=key")


@contextmanager
def faulty(now: Callable[[], float], *, tls: ssl.SSLContext | None = None) -> Iterator[Faulty]:
    """Run one on a free port of this machine. `now` is the clock by which arrivals are noted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if tls else "http"
        server = Faulty(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", now, tls=tls)
        threading.Thread(target=_accept, args=(listener, server), daemon=True).start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: Faulty) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the test is over
        server.connections += 1
        threading.Thread(target=_serve, args=(connection, server), daemon=True).start()


def _serve(connection: socket.socket, server: Faulty) -> None:
    try:
        if server.tls:
            connection = server.tls.wrap_socket(connection, server_side=True)
        with connection, connection.makefile("rb") as incoming:
            while _next(connection, incoming, server):
                pass
    except OSError:  # the client has gone, or does not trust us
        connection.close()


def _next(connection: socket.socket, incoming: BinaryIO, server: Faulty) -> bool:
    """Let the next request meet its fault; return whether there may be another one."""
    first = incoming.readline()
    if not first:
        return False
    fault = server.script.popleft() if server.script else GOOD
    if fault is reset_unread:
        return reset_unread(connection, server)
    length = 0
    for line in iter(incoming.readline, b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    method, path, _ = first.decode().split()
    body = incoming.read(length)
    server.received.append(Received(method, path, body, server.now()))
    return fault(connection, server)
