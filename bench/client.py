"""What the client reaches of upstream's limit, adds to a call, and leaves behind.

    python -m bench.client [pace endpoints overhead cancelled]

Upstream is a process of its own that enforces 3 requests in any one second of each endpoint, as
strictly as can be. Each figure stands beside its peer's in the same run: what the limit permits, or
a bare `httpx.AsyncClient`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import anyio
import anyio.lowlevel
import httpx

from bench.rows import Found, Row, alone, at_least, at_most
from talonone_mcp.core import catalog
from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.settings import Settings, load_settings
from talonone_mcp.store.pace import MAX_REQUESTS_PER_PERIOD, PERIOD_S
from talonone_mcp.upstream.connection import Upstream, open_upstream
from talonone_mcp.upstream.http_messages import Request

SERVER = Path(__file__).parent / "peers" / "limited_server.py"
ONE_ENDPOINT = 0.97  # of the permitted rate
MANY_ENDPOINTS = 0.95
ADDED = 0.4  # milliseconds


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measurement needs: a server, settings that point there, and how much to do."""

    quick: bool
    url: str
    settings: Settings
    read: Operation
    export: Operation
    upload: Operation
    login: Operation

    @asynccontextmanager
    async def upstream(self) -> AsyncIterator[Upstream]:
        """Open what is measured."""
        async with open_upstream(self.settings, self.login) as upstream:
            yield upstream

    async def refused(self) -> int:
        """Ask the server how many requests it has answered with 429."""
        async with httpx.AsyncClient() as http:
            return int((await http.get(f"{self.url}/figures")).json()["refused"])

    async def send(self, upstream: Upstream, path: str) -> None:
        """Call one endpoint."""
        await upstream.send(replace(self.read, path=path), Request(path))


Measurement = Callable[[Bench], Awaitable[list[Found]]]


async def pace(bench: Bench) -> list[Found]:
    """Call one endpoint 300 times at once."""
    return await _pace(bench, ["/pace/0"] * (6 if bench.quick else 300), ONE_ENDPOINT)


async def endpoints(bench: Bench) -> list[Found]:
    """Call 30 endpoints 60 times each, all at once."""
    calls = 180 if bench.quick else 1_800
    return await _pace(bench, [f"/endpoints/{n % 30}" for n in range(calls)], MANY_ENDPOINTS)


async def _pace(bench: Bench, paths: list[str], share: float) -> list[Found]:
    refused, count = await bench.refused(), len(set(paths))
    async with bench.upstream() as upstream:
        began = time.perf_counter()
        async with anyio.create_task_group() as calls:
            for path in paths:
                calls.start_soon(bench.send, upstream, path)
        took = time.perf_counter() - began
    refused = await bench.refused() - refused
    # The first three of each endpoint may go at once, each next three a second later.
    permitted = (len(paths) / count / MAX_REQUESTS_PER_PERIOD - 1) * PERIOD_S
    name = f"{len(paths):,} calls to {count} endpoint{'s' * (count > 1)} at once"
    rate, limit = len(paths) / took, len(paths) / permitted
    return [
        Row(name, rate, "calls/s", "the limit permits", limit, at_least(share, "ratio")),
        Row("of these, answered with 429", refused, "calls", budget=at_most(0)),
    ]


async def overhead(bench: Bench) -> list[Found]:
    """Time calls that wait for nothing, each after the same with a bare client."""
    async with bench.upstream() as upstream, httpx.AsyncClient() as http:
        ours, peer = [], []
        for number in range(220 if bench.quick else 2_200):  # the first ones warm up
            path = f"/free/{number % 300}"  # no lane has more than three in a second
            began = time.perf_counter()
            (await http.get(bench.url + path)).json()
            between = time.perf_counter()
            await bench.send(upstream, path)
            peer.append(between - began)
            ours.append(time.perf_counter() - between)
    bare, with_us = (median(each[200:]) * 1000 for each in (peer, ours))
    return [
        Row("a call that waits for nothing", with_us, "ms", "bare httpx", bare),
        Row("added to such a call", with_us - bare, "ms", budget=at_most(ADDED)),
    ]


class _Nowhere:
    """A sink that keeps nothing but a file open while it is written."""

    def restart(self) -> None:
        """Begin."""

    async def write(self, chunk: bytes) -> None:
        """Take a piece."""
        await anyio.lowlevel.checkpoint()


async def cancelled(bench: Bench) -> list[Found]:
    """Cancel 10,000 calls at random moments, and count what is left."""
    draw, calls_made = random.Random(7), 400 if bench.quick else 10_000
    tasks, files = len(asyncio.all_tasks()), _descriptors()
    with tempfile.NamedTemporaryFile() as upload:
        upload.write(b"id,name\r\n" * 100_000)
        upload.flush()
        form = Request("/free/up", content=Path(upload.name), form_field="upFile")
        async with bench.upstream() as upstream:

            async def one(number: int) -> None:
                with anyio.move_on_after(draw.expovariate(1 / 0.02)):
                    if number % 4 == 0:
                        await upstream.send(replace(bench.upload, path=f"/free/{number}"), form)
                    elif number % 4 == 1:
                        slow = replace(bench.export, path=f"/slow/{number}")
                        await upstream.send(slow, Request("/slow/x"), sink=_Nowhere())
                    elif number % 4 == 2:  # noqa: PLR2004 - waits for its turn
                        await bench.send(upstream, f"/cancelled/{number % 40}")
                    else:
                        slow = replace(bench.read, path=f"/slow/{number}", answer="csv")
                        await upstream.send(slow, Request("/slow/x"))

            for first in range(0, calls_made, 200):
                async with anyio.create_task_group() as calls:
                    for number in range(first, first + 200):
                        calls.start_soon(one, number)
            left = _left_in(upstream)
    left |= {"tasks": len(asyncio.all_tasks()) - tasks, "files": _descriptors() - files}
    return [
        Row(f"left of {calls_made:,} cancelled calls", count, what, budget=at_most(0))
        for what, count in left.items()
    ]


def _left_in(upstream: Upstream) -> dict[str, int]:
    """Count the requests that still count as under way although nobody calls."""
    left = upstream.statistics()
    return {
        "connections": left.pool.busy,
        "waiting": left.pool.requests,
        "permits": left.open_departures,
    }


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


MEASUREMENTS: dict[str, Measurement] = {
    "pace": pace,
    "endpoints": endpoints,
    "overhead": overhead,
    "cancelled": cancelled,
}


async def measure(port: str, options: argparse.Namespace) -> list[Found]:
    """Run the measurements that were asked for."""
    url = f"http://127.0.0.1:{port}"
    operations = catalog.load().operations
    environment = {"TALONONE_BASE_URL": url, "TALONONE_MANAGEMENT_KEY": "key"}
    bench = Bench(
        options.quick,
        url,
        load_settings({}, environment | {"TALONONE_DEADLINE": "600"}),
        read=operations["get_campaign"],
        export=operations["export_coupons"],
        upload=operations["import_coupons"],
        login=operations["create_session"],
    )
    names = options.measurements or list(MEASUREMENTS)
    return [row for name in names for row in await MEASUREMENTS[name](bench)]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    # No `choices`: argparse would hold the empty list of none given against them.
    parser.add_argument("measurements", nargs="*", type=_known, metavar="|".join(MEASUREMENTS))


def _known(name: str) -> str:
    if name not in MEASUREMENTS:
        raise argparse.ArgumentTypeError(f"no such measurement: {name}")
    return name


def rows(options: argparse.Namespace) -> list[Found]:
    """Start the server, measure, and end it."""
    command = [sys.executable, str(SERVER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            return anyio.run(measure, server.stdout.readline().strip(), options)
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
