"""What the gate and the audit log cost a call, against the same call without them.

    python -m bench.gate

Upstream is an application in this process that answers at once, so that what is left is ours. The
gate takes no part in a read. An update reads what it changes, an order makes a dry run, and a call
that is asked about reads once before the question and once more after the yes. Sums and the ledger
wait for the disk.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import anyio
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from bench.rows import Found, Row, alone, at_most
from talonone_mcp.calls.admission import Admission
from talonone_mcp.calls.caller import Caller, Reply
from talonone_mcp.calls.executor import Executor
from talonone_mcp.calls.gate import Gate
from talonone_mcp.calls.imports import ImportFiles
from talonone_mcp.calls.judging import Judge
from talonone_mcp.calls.recorder import Recorder
from talonone_mcp.calls.request import build
from talonone_mcp.calls.shaping.model_answer import shape
from talonone_mcp.calls.spending_limits import SpendingLimits
from talonone_mcp.core import catalog
from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.clock import SYSTEM_CLOCK
from talonone_mcp.core.settings import load_settings
from talonone_mcp.store import Store
from talonone_mcp.store.local_store import local_store
from talonone_mcp.store.pace import MemoryPace
from talonone_mcp.upstream.connection import Upstream, open_upstream

LIMIT = 1.0  # milliseconds that the gate may add to a read
CAMPAIGN = {"applicationId": 42, "campaignId": 18}
SHOWN = {"id": 18, "name": "Summer", "tags": [], "limits": [], "features": [], "effects": []}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of call.

    Attributes:
        alone: the arguments of the same request, sent by itself.
        requests: how many it takes, with those that tell what it does.
    """

    name: str
    operation: str
    arguments: Mapping[str, Any]
    alone: Mapping[str, Any]
    requests: int


_DESCRIBED = CAMPAIGN | {"description": "Until it rains"}
_WHOLE = _DESCRIBED | {name: SHOWN[name] for name in ("name", "tags", "limits", "features")}
_ORDER = {"customerSessionId": "1", "customerSession": {"profileId": "anna", "state": "closed"}}
KINDS = (
    Kind("a read, validated and gated", "get_campaign", CAMPAIGN, CAMPAIGN, 1),
    Kind("an update that nobody is asked about", "update_campaign", _DESCRIBED, _WHOLE, 2),
    Kind("an order, with its dry run", "update_customer_session", _ORDER, _ORDER, 2),
    Kind("a destructive call, asked about and recorded", "delete_campaign", CAMPAIGN, CAMPAIGN, 3),
)


class Yes:
    """A person who agrees, after upstream may have changed."""

    async def answer(self, question: str, call: str) -> Reply:
        """Agree."""
        return Reply("yes", late=True)


@dataclass(slots=True)
class CountingUpstream:
    """Answers at once, and counts."""

    requests: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        self.requests += 1
        await JSONResponse(SHOWN)(scope, receive, send)


async def timed(call: Callable[[], Awaitable[Any]], count: int) -> float:
    """Return the median milliseconds of a call."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def executor_of(known: Catalog, client: Upstream, store: Store, folder: Path) -> Executor:
    """Return an executor whose gate asks, by the policy as it comes."""

    async def seen(operation: Operation, arguments: Mapping[str, Any]) -> Any:
        return (await client.send(operation, build(operation, arguments))).body

    admission = Admission(
        known,
        Judge(known, seen, SYSTEM_CLOCK),
        Gate("ask", store.ledger),
        SpendingLimits(known.policy, store.sums),
        client.place,
    )
    recorder = Recorder(store.audit, reads=False)
    files = ImportFiles(None, folder)
    return Executor(known, client, admission, recorder, store, import_files=files)


async def measure(folder: Path, count: int) -> list[Found]:
    """Return what each kind of call takes."""
    known, counting = catalog.load(), CountingUpstream()
    settings = load_settings({"sandbox": True}, {"TALONONE_STATE_DIR": str(folder)})
    login = known.operations["create_session"]
    pace = MemoryPace(max_requests=1_000_000)  # not measured
    found: list[Found] = []
    async with open_upstream(settings, login, counting, pace=pace) as client:
        executor = executor_of(known, client, local_store(settings), folder)
        caller = Caller("local", "bench", person=Yes())
        for kind in KINDS:
            operation = known.operations[kind.operation]
            alone = partial(_alone, client, operation, kind.alone)
            await timed(alone, count)  # what is slow the first time
            bare = await timed(alone, count)
            counting.requests = 0
            took = await timed(partial(executor.call, operation, kind.arguments, caller), count)
            if counting.requests != kind.requests * count:
                raise RuntimeError(f"{kind.name} took {counting.requests / count} requests")
            name = f"{kind.name} ({kind.requests} request{'s' * (kind.requests > 1)})"
            found.append(Row(name, took, "ms", "sent and shaped alone", bare))
            if operation.is_read:
                found.append(Row("added to a read", took - bare, "ms", budget=at_most(LIMIT)))
    return found


async def _alone(client: Upstream, operation: Operation, arguments: Mapping[str, Any]) -> None:
    """Send a request and shape its answer, with nothing between."""
    shape(operation, arguments, await client.send(operation, build(operation, arguments)))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--calls", type=int, default=300)


def rows(options: argparse.Namespace) -> list[Found]:
    """Measure in a state directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(measure, Path(folder), 3 if options.quick else options.calls)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
