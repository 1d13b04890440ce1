"""Reports the progress of a call to its MCP client."""

from __future__ import annotations

import logging
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext

from talonone_mcp.core.progress import Progress

_MIN_INCREMENT = 0.001  # added to a value that is no higher than the one before
_REPORT_TIMEOUT_S = 1.0


def progress_to(
    ctx: ServerRequestContext[Any, Any], *, patience: float = _REPORT_TIMEOUT_S
) -> Progress:
    """Return a function that reports progress to the client behind `ctx`, if it asked for that.

    One call may report in several units: waits in seconds, lists in items, files in bytes. The
    protocol requires each value to exceed the one before, so smaller values are raised.
    Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/progress

    Args:
        ctx: the client's request.
        patience: seconds that one report may take. A client that does not read, or is gone, gets no
            further reports; its call goes on.
    """
    reached: float | None = None
    gone = False

    async def report(done: float, total: float | None, message: str) -> None:
        nonlocal reached, gone
        if gone:
            return
        reached = done if reached is None or done > reached else reached + _MIN_INCREMENT
        known = total if total is None or total >= reached else None
        with anyio.move_on_after(patience) as waiting:
            try:
                await ctx.session.report_progress(reached, known, message)
            except Exception:  # whatever a transport raises for a client that is gone
                logging.getLogger(__name__).debug("progress was not delivered", exc_info=True)
                gone = True
        gone = gone or waiting.cancelled_caught

    return report
