"""Passes on to an MCP client how far its call is."""

from __future__ import annotations

import logging
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext

from talonone_mcp.core.progress import Progress

_STEP = 0.001  # by which a report that says no more than the one before is made to
_PATIENCE = 1.0  # seconds that one report may keep the call waiting


def progress_to(ctx: ServerRequestContext[Any, Any], *, patience: float = _PATIENCE) -> Progress:
    """Return what reports to the client behind `ctx`, if it asked for that.

    A call is told about by several: waits in seconds, lists in items, files in bytes. The protocol
    wants each value above the one before, and so it is made.
    Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/progress

    Args:
        ctx: the request of the client.
        patience: seconds that one report may take. A client that does not read, or is gone, is
            told nothing more, and its call goes on.
    """
    reached: float | None = None
    gone = False

    async def report(done: float, total: float | None, message: str) -> None:
        nonlocal reached, gone
        if gone:
            return
        reached = done if reached is None or done > reached else reached + _STEP
        known = total if total is None or total >= reached else None
        with anyio.move_on_after(patience) as waiting:
            try:
                await ctx.session.report_progress(reached, known, message)
            except Exception:  # whatever a transport raises for a client that is not there
                logging.getLogger(__name__).debug("progress was not taken", exc_info=True)
                gone = True
        gone = gone or waiting.cancelled_caught

    return report
