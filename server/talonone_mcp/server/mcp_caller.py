"""Makes the `Caller` of an MCP request, once per request."""

from __future__ import annotations

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from talonone_mcp.calls.caller import Caller, Person
from talonone_mcp.core.text import one_line
from talonone_mcp.server.reporting import progress_to

_MAX_NAME_CHARS = 100


def caller_of(
    ctx: ServerRequestContext[Any, Any],
    principal: str,
    *,
    person: Person | None = None,
    via: str = "",
) -> Caller:
    """Return the caller of a request.

    Args:
        ctx: the request.
        principal: on whose behalf.
        person: who can be asked through the client.
        via: the MCP method, when the request names no tool.
    """
    params = ctx.session.client_params
    info = params.client_info if params else None
    return Caller(
        principal,
        one_line(f"{info.name} {info.version}", _MAX_NAME_CHARS) if info else "unknown",
        "modern" if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS else "handshake",
        person,
        progress_to(ctx),
        via,
    )
