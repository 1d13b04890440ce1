"""What the gate and the audit log cost a call, against the same call without them.

    python -m bench.gate

Upstream is an application in this process that answers at once, so that what is left is ours. The
gate takes no part in a read. A gated call pays for entries in the ledger, each of which waits for
the disk.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import anyio
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from bench.rows import Found, Row, alone, at_most
from talonone_mcp.calls.caller import Caller, Reply
from talonone_mcp.calls.executor import Executor
from talonone_mcp.calls.gate import Gate
from talonone_mcp.calls.imports import ImportFiles
from talonone_mcp.calls.recorder import Recorder
from talonone_mcp.calls.request import build
from talonone_mcp.calls.shaping.model_answer import shape
from talonone_mcp.core import catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.store.local_store import local_store
from talonone_mcp.store.pace import MemoryPace
from talonone_mcp.upstream.connection import open_upstream

LIMIT = 1.0  # milliseconds that the gate may add to a read
CAMPAIGN = {"applicationId": 42, "campaignId": 18}


class Yes:
    """A person who agrees at once."""

    async def answer(self, question: str, call: str) -> Reply:
        """Agree."""
        return Reply("yes", late=False)


async def upstream(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once."""
    await JSONResponse({"id": 18, "name": "Summer"})(scope, receive, send)


async def timed(call: Callable[[], Awaitable[Any]], count: int) -> float:
    """Return the median milliseconds of a call."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


async def measure(folder: Path, count: int) -> list[Found]:
    """Return what each kind of call takes."""
    operations = catalog.load().operations
    read, write = operations["get_campaign"], operations["delete_campaign"]
    settings = load_settings({"sandbox": True}, {"TALONONE_STATE_DIR": str(folder)})
    login, pace = operations["create_session"], MemoryPace(max_requests=1_000_000)  # not measured
    async with open_upstream(settings, login, upstream, pace=pace) as client:
        store = local_store(settings)
        gate = Gate("ask", store.ledger, {})
        recorder = Recorder(store.audit, reads=False)
        executor = Executor(
            catalog.load(),
            client,
            gate,
            recorder,
            store,
            import_files=ImportFiles(None, folder),
        )
        caller = Caller("local", "bench", person=Yes())

        async def bare(operation: Any) -> None:
            shape(operation, CAMPAIGN, await client.send(operation, build(operation, CAMPAIGN)))

        await timed(lambda: bare(read), count)  # what is slow the first time
        reading = await timed(lambda: bare(read), count)
        through = await timed(lambda: executor.call(read, CAMPAIGN, caller), count)
        writing = await timed(lambda: bare(write), count)
        gated = await timed(lambda: executor.call(write, CAMPAIGN, caller), count)
    bare_name = "sent and shaped alone"
    return [
        Row("a read, validated and gated", through, "ms", bare_name, reading),
        Row("added to a read", through - reading, "ms", budget=at_most(LIMIT)),
        Row("a destructive call, with its preview and records", gated, "ms", bare_name, writing),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--calls", type=int, default=300)


def rows(options: argparse.Namespace) -> list[Found]:
    """Measure in a state directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(measure, Path(folder), 3 if options.quick else options.calls)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
