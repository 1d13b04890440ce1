"""Serve an ASGI application on a socket: MCP over HTTP, or the sandbox on its own."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp


async def serve(
    app: ASGIApp, host: str, port: int, announce: Callable[[str], None], *, lifespan: bool = True
) -> None:
    """Serve until interrupted.

    Args:
        app: the application.
        host: a name or address of this machine.
        port: the port; 0 picks a free one.
        announce: called with the base URL, without a trailing slash, once connections are
            accepted.
        lifespan: whether the application handles lifespan events.

    Raises:
        OSError: the address cannot be bound.
    """
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )
    with listener:
        # asyncio sets this only on sockets created with an explicit protocol. Without it, an answer
        # whose head and body are written separately waits 40 ms for the client's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url_host = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # uvicorn would write it to stdout
            lifespan="on" if lifespan else "off",
            ws="none",
            timeout_graceful_shutdown=3,  # seconds; event streams must not keep the process alive
        )
        announce(f"http://{url_host}:{listener.getsockname()[1]}")
        await uvicorn.Server(config).serve(sockets=[listener])
