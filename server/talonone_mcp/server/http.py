"""Serves MCP over Streamable HTTP, to this machine only."""

from __future__ import annotations

import sys

from mcp.server.lowlevel import Server

from talonone_mcp.core.asgi import serve
from talonone_mcp.server.runtime import Runtime


async def serve_http(server: Server[Runtime], host: str, port: int) -> None:
    """Serve until interrupted. Print the address to stderr once it accepts connections.

    The SDK's application accepts only requests whose Host, and Origin if there is one, is this
    machine's, so that a web page cannot reach it by DNS rebinding.

    Raises:
        OSError: the address cannot be bound.
    """
    await serve(server.streamable_http_app(host=host), host, port, _announce)


def _announce(url: str) -> None:
    print(f"talonone-mcp: serving {url}/mcp", file=sys.stderr, flush=True)  # noqa: T201
