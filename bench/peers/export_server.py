"""An upstream for `bench/export.py`: an export of 200 MB in 2 million rows, as fast as it is taken.

Rows look like those of coupons: one in ten has a quoted cell, one in a hundred spans two lines.
It prints its port. A path with `short` in it gets a hundredth of that.
"""

from __future__ import annotations

import socket
import threading

BLOCKS, ROWS, WIDTH = 200, 10_000, 100
HEADER = b"value,created,applicationid,campaignid,attributes,note\n"


def row(number: int) -> bytes:
    """Return one row of exactly `WIDTH` bytes."""
    opened, closed = ('"two\nlines ', '"\n') if number % 100 == 0 else ("plain ", "\n")
    attributes = '"{""tier"": ""gold""}"' if number % 10 == 0 else "{}"
    start = f"SUMMER-{number:08},2026-01-01T00:00:00Z,42,18,{attributes},{opened}"
    return (start.ljust(WIDTH - len(closed), "x") + closed).encode()


BLOCK = b"".join(row(number) for number in range(ROWS))


def answer(connection: socket.socket) -> None:
    """Answer the requests of one connection."""
    with connection, connection.makefile("rb") as incoming:
        while head := incoming.readline():
            while incoming.readline() not in (b"\r\n", b""):
                pass
            blocks = BLOCKS // 100 if b"short" in head else BLOCKS
            size = len(HEADER) + blocks * len(BLOCK)
            lines = ["HTTP/1.1 200 OK", "Content-Type: text/csv", f"Content-Length: {size}", "", ""]
            connection.sendall("\r\n".join(lines).encode() + HEADER)
            for _ in range(blocks):
                connection.sendall(BLOCK)


def main() -> None:
    """Serve until killed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
