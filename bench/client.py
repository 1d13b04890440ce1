"""What the client reaches of upstream's limit, adds to a call, and leaves behind.

    .venv/bin/python bench/client.py [pace endpoints overhead cancelled export]

Upstream is a process of its own that enforces 3 requests in any one second of each endpoint, as
strictly as can be. Each figure stands beside its peer's in the same run: what the limit permits, or
a bare `httpx.AsyncClient`. Exit status 1 when a limit is missed.
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

from talonone_mcp import catalog
from talonone_mcp.catalog import Operation
from talonone_mcp.client.limiter import PERIOD, REQUESTS
from talonone_mcp.client.transport import Client, Request, open_client
from talonone_mcp.settings import Settings, load_settings

SERVER = Path(__file__).parent / "peers" / "limited_server.py"
ONE_ENDPOINT = 0.97  # of the permitted rate
MANY_ENDPOINTS = 0.95
ADDED = 0.4  # milliseconds


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measurement needs: a server, and settings that point there."""

    url: str
    settings: Settings
    read: Operation
    export: Operation
    upload: Operation
    login: Operation

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Open the client that is measured."""
        async with open_client(self.settings, self.login) as client:
            yield client

    async def refused(self) -> int:
        """Ask the server how many requests it has answered with 429."""
        async with httpx.AsyncClient() as http:
            return int((await http.get(f"{self.url}/figures")).json()["refused"])

    async def send(self, client: Client, path: str) -> None:
        """Call one endpoint."""
        await client.send(replace(self.read, path=path), Request(path))


Measurement = Callable[[Bench], Awaitable[bool]]


async def pace(bench: Bench) -> bool:
    """Call one endpoint 300 times at once."""
    return await _pace(bench, [f"/pace/{0}"] * 300, ONE_ENDPOINT)


async def endpoints(bench: Bench) -> bool:
    """Call 30 endpoints 60 times each, all at once."""
    return await _pace(bench, [f"/endpoints/{n % 30}" for n in range(1_800)], MANY_ENDPOINTS)


async def _pace(bench: Bench, paths: list[str], limit: float) -> bool:
    refused, count = await bench.refused(), len(set(paths))
    async with bench.client() as client:
        began = time.perf_counter()
        async with anyio.create_task_group() as calls:
            for path in paths:
                calls.start_soon(bench.send, client, path)
        took = time.perf_counter() - began
    refused = await bench.refused() - refused
    # The first three of each endpoint may go at once, each next three a second later.
    permitted = (len(paths) / count / REQUESTS - 1) * PERIOD
    share = permitted / took
    print(
        f"{len(paths)} calls to {count} endpoints at once: {took:.2f} s, the limit permits"
        f" {permitted:.2f} s: {share:.1%} of the permitted rate (at least {limit:.0%}),"
        f" {refused} answers with 429 (at most 0)"
    )
    return share >= limit and refused == 0


async def overhead(bench: Bench) -> bool:
    """Time calls that wait for nothing, each after the same with a bare client."""
    async with bench.client() as client, httpx.AsyncClient() as http:
        ours, peer = [], []
        for number in range(2_200):  # the first ones warm up
            path = f"/free/{number % 300}"  # no lane has more than three in a second
            began = time.perf_counter()
            (await http.get(bench.url + path)).json()
            between = time.perf_counter()
            await bench.send(client, path)
            peer.append(between - began)
            ours.append(time.perf_counter() - between)
    bare, with_us = (median(each[200:]) * 1000 for each in (peer, ours))
    added = with_us - bare
    print(
        f"a call that waits for nothing: {bare:.2f} ms bare, {with_us:.2f} ms through the client,"
        f" {with_us / bare:.2f} times: {added:+.2f} ms (at most {ADDED} ms)"
    )
    return added <= ADDED


class _Nowhere:
    """A sink that keeps nothing but a file open while it is written."""

    def restart(self) -> None:
        """Begin."""

    async def write(self, chunk: bytes) -> None:
        """Take a piece."""
        await anyio.lowlevel.checkpoint()


async def cancelled(bench: Bench) -> bool:
    """Cancel 10,000 calls at random moments, and count what is left."""
    draw = random.Random(7)
    tasks, files = len(asyncio.all_tasks()), _descriptors()
    with tempfile.NamedTemporaryFile() as upload:
        upload.write(b"id,name\r\n" * 100_000)
        upload.flush()
        form = Request("/free/up", content=Path(upload.name), form_field="upFile")
        async with bench.client() as client:

            async def one(number: int) -> None:
                with anyio.move_on_after(draw.expovariate(1 / 0.02)):
                    if number % 4 == 0:
                        await client.send(replace(bench.upload, path=f"/free/{number}"), form)
                    elif number % 4 == 1:
                        slow = replace(bench.export, path=f"/slow/{number}")
                        await client.send(slow, Request("/slow/x"), sink=_Nowhere())
                    elif number % 4 == 2:  # noqa: PLR2004 - waits for its turn
                        await bench.send(client, f"/cancelled/{number % 40}")
                    else:
                        slow = replace(bench.read, path=f"/slow/{number}", answer="csv")
                        await client.send(slow, Request("/slow/x"))

            for first in range(0, 10_000, 200):
                async with anyio.create_task_group() as calls:
                    for number in range(first, first + 200):
                        calls.start_soon(one, number)
            left = _left_in(client)
    left |= {"tasks": len(asyncio.all_tasks()) - tasks, "files": _descriptors() - files}
    print("10,000 calls cancelled at random moments leave", end=" ")
    print(", ".join(f"{count} {what}" for what, count in left.items()), "(at most 0)")
    return not any(left.values())


def _left_in(client: Client) -> dict[str, int]:
    """Count the requests that the client, when nobody calls, still takes to be under way."""
    pool = client._upstream._http._transport._pool  # type: ignore[attr-defined]
    busy = [each for each in pool.connections if not each.is_idle()]
    pacer = client._upstream._pacer
    return {"connections": len(busy), "waiting": len(pool._requests), "permits": pacer.open}  # type: ignore[attr-defined]


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def export(_: Bench) -> bool:
    """Run `bench/export.py`, in a process of its own, because it weighs that."""
    command = [sys.executable, str(Path(__file__).with_name("export.py"))]
    return (await anyio.run_process(command, check=False, stdout=None, stderr=None)).returncode == 0


MEASUREMENTS: dict[str, Measurement] = {
    "pace": pace,
    "endpoints": endpoints,
    "overhead": overhead,
    "cancelled": cancelled,
    "export": export,
}


async def measure(port: str, names: list[str]) -> int:
    """Run the measurements that were asked for."""
    url = f"http://127.0.0.1:{port}"
    operations = catalog.load().operations
    environment = {"TALONONE_BASE_URL": url, "TALONONE_MANAGEMENT_KEY": "key"}
    bench = Bench(
        url,
        load_settings({}, environment | {"TALONONE_DEADLINE": "600"}),
        read=operations["get_campaign"],
        export=operations["export_coupons"],
        upload=operations["import_coupons"],
        login=operations["create_session"],
    )
    kept = [await MEASUREMENTS[name](bench) for name in names]
    return 0 if all(kept) else 1


def main() -> int:
    """Start the server, measure, and end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measurements", nargs="*", metavar="|".join(MEASUREMENTS))
    names = parser.parse_args().measurements or list(MEASUREMENTS)
    if unknown := set(names) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(unknown)}")
    command = [sys.executable, str(SERVER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            return anyio.run(measure, server.stdout.readline().strip(), names)
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
