"""An upstream that misbehaves: it reads a request and writes whatever bytes a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Misbehaving = Callable[[socket.socket], None]


@dataclass(slots=True)
class Wire:
    """A running one. `behave` says what happens to each next request."""

    url: str
    behave: Misbehaving
    over: threading.Event = field(default_factory=threading.Event)

    def hang(self, _: socket.socket) -> None:
        """Answer nothing until the test is over."""
        self.over.wait()


def http(
    status: int, body: str = "", kind: str = "application/json", **headers: str
) -> Misbehaving:
    """Answer in full and correctly framed, and say that the connection ends."""
    lines = [
        f"HTTP/1.1 {status} x",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body.encode())}",
    ]
    lines.append("Connection: close")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return send("\r\n".join([*lines, "", body]))


def send(text: str) -> Misbehaving:
    """Answer with exactly these bytes, then close."""
    return lambda connection: connection.sendall(text.encode())


@contextmanager
def misbehaving(behave: Misbehaving | None = None) -> Iterator[Wire]:
    """Run one on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}", behave or http(200, "{}"))
        threading.Thread(target=_accept, args=(listener, wire), daemon=True).start()
        try:
            yield wire
        finally:
            wire.over.set()


def _accept(listener: socket.socket, wire: Wire) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the test is over
        threading.Thread(target=_answer, args=(connection, wire), daemon=True).start()


def _answer(connection: socket.socket, wire: Wire) -> None:
    with connection, connection.makefile("rb") as incoming:
        length = 0
        for line in iter(incoming.readline, b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        incoming.read(length)
        wire.behave(connection)
