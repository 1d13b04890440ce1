"""Serves MCP over Streamable HTTP, to this machine alone."""

from __future__ import annotations

import socket
import sys

import uvicorn
from mcp.server.lowlevel import Server

from talonone_mcp.app import FirstUse


async def serve_http(server: Server[FirstUse], host: str, port: int) -> None:
    """Serve until interrupted. The address is said on stderr once it accepts connections.

    The SDK's application answers only requests whose Host, and Origin if there is one, is this
    machine's, so that a web page cannot reach it through a name that it rebound.

    Raises:
        OSError: the address cannot be bound.
    """
    listener = socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )
    with listener:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listener.getsockname()[1]}/mcp"
        config = uvicorn.Config(
            server.streamable_http_app(host=host),
            log_level="warning",
            access_log=False,  # uvicorn would write it to stdout
            timeout_graceful_shutdown=3,  # an open event stream does not keep the process
        )
        print(f"talonone-mcp: serving {url}", file=sys.stderr, flush=True)  # noqa: T201
        await uvicorn.Server(config).serve(sockets=[listener])
