"""What the sandbox answers a second, against a bare Starlette application with the same answers.

    python -m bench.sandbox
    python -m bench.sandbox --scale 2000

Both are served by the same server in a process of their own, on one core, one after the other; the
load comes from another core where there is one. The peer answers, from memory, the bytes that the
sandbox gave for the same request. With `--scale`, it is measured what a filtered list takes in a
file with so many times the demo account's customers, against the demo account.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.rows import Found, Row, alone, at_least, at_most
from talonone_mcp.core import catalog
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.sandbox.app import Sandbox

PEER = Path(__file__).parent / "peers" / "canned_server.py"
MANAGEMENT, SHOP = f"ManagementKey-v1 {SANDBOX_KEY}", f"ApiKey-v1 {SANDBOX_KEY}"
LIMITS = {"reads": 0.4, "writes": 0.15}
SLOWER = 3.0  # how many times as long a filtered list may take in a large account
CONNECTIONS = 8
BARE = "bare Starlette"


@cache
def customers() -> list[str]:
    """Return the demo account's customers."""
    with closing(Sandbox(catalog.load(), limited=False)) as sandbox:
        transport = httpx.ASGITransport(sandbox)
        return asyncio.run(_names(transport))


async def _names(transport: httpx.ASGITransport) -> list[str]:
    async with httpx.AsyncClient(transport=transport, base_url="https://sandbox.invalid") as http:
        headers = {"Authorization": MANAGEMENT}
        found = await http.get("/v1/applications/42/customers?pageSize=40", headers=headers)
    return [each["integrationId"] for each in found.json()["data"]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. A body makes it one that changes something."""

    method: str
    path: str
    authorization: str = MANAGEMENT
    body: Any = None

    @property
    def variants(self) -> list[Ask]:
        """The request for each of some customers, where it is one customer's."""
        if "{customer}" not in self.path:
            return [self]
        return [replace(self, path=self.path.format(customer=name)) for name in customers()]

    @property
    def wire(self) -> bytes:
        """The request as it goes over the connection."""
        content = b"" if self.body is None else json.dumps(self.body).encode()
        head = (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: {self.authorization}\r\nContent-Length: {len(content)}\r\n"
        )
        kind = "Content-Type: application/json\r\n" if content else ""
        return f"{head}{kind}\r\n".encode() + content


SHOP_42 = "/v1/applications/42"
ASKS: Mapping[str, tuple[Ask, ...]] = {
    "reads": (
        Ask("GET", "/v1/applications"),
        Ask("GET", f"{SHOP_42}/campaigns/18"),
        Ask("GET", f"{SHOP_42}/campaigns/18/rulesets/118"),
        Ask("GET", f"{SHOP_42}/customers/3778"),
        Ask("GET", f"{SHOP_42}/campaigns"),
        Ask("GET", f"{SHOP_42}/campaigns/18/coupons/no_total?pageSize=10&usable=true"),
        Ask("GET", f"{SHOP_42}/sessions?pageSize=10"),
        Ask("GET", f"{SHOP_42}/customers?pageSize=10"),
        Ask("GET", "/v1/loyalty_programs/5/profile/{customer}/balances", SHOP),
        Ask("GET", "/v1/loyalty_programs/5/profile/{customer}/transactions", SHOP),
    ),
    "writes": (
        Ask("POST", f"{SHOP_42}/campaigns/18/coupons?silent=no", MANAGEMENT,
            {"numberOfCoupons": 1, "usageLimit": 1}),
        Ask("PUT", "/v2/customer_profiles/{customer}", SHOP, {"attributes": {"Name": "Anna"}}),
        Ask("PUT", "/v1/loyalty_programs/5/profile/{customer}/add_points", MANAGEMENT,
            {"points": 10}),
        Ask("PUT", "/v2/customer_sessions/bench-{customer}", SHOP,
            {"customerSession": {"state": "open", "cartItems": [
                {"name": "Shirt", "sku": "SKU-1", "quantity": 2, "price": 20}]}}),
    ),
}  # fmt: skip
LISTS = (
    Ask("GET", f"{SHOP_42}/customers?pageSize=10&integrationId=anna.schmidt"),
    Ask("GET", "/v1/customers/no_total?pageSize=10"),
    Ask("GET", f"{SHOP_42}/sessions?pageSize=10&profile=anna.schmidt"),
    Ask("GET", f"{SHOP_42}/sessions?pageSize=10&state=closed&sort=-created"),
    Ask("GET", "/v1/loyalty_programs/5/transactions?pageSize=10&loyaltyTransactionType=manual"),
    Ask("GET", "/v1/loyalty_programs/5/transactions?pageSize=10"
        "&startDate=2020-01-01T00:00:00Z&endDate=2100-01-01T00:00:00Z"),
    Ask("GET", "/v1/loyalty_programs/5/profile/anna.schmidt/transactions?pageSize=10", SHOP),
    Ask("GET", "/v1/loyalty_programs/5/profile/anna.schmidt/points?status=active", SHOP),
    Ask("GET", "/v1/loyalty_programs/7/cards?pageSize=10&profileId=3778"),
)  # fmt: skip


@contextmanager
def serving(command: list[str]) -> Iterator[str]:
    """Run a server on one core and yield its URL."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if len(cores) > 1:
            os.sched_setaffinity(process.pid, cores[:1])
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield next(word for word in line.split() if word.startswith("http")).rstrip(",")
        finally:
            process.kill()


def sandbox(*options: str) -> list[str]:
    """Return the command of a sandbox."""
    return [sys.executable, "-m", "talonone_mcp", "sandbox", "--port", "0", "--no-limits", *options]


def answers(url: str) -> dict[str, tuple[int, str, str]]:
    """Return what the sandbox answers to every request, by method and path."""
    found = {}
    every = (each for asks in ASKS.values() for one in asks for each in one.variants)
    for ask in every:
        got = httpx.request(
            ask.method, url + ask.path, headers={"Authorization": ask.authorization}, json=ask.body
        )
        if not got.is_success:
            sys.exit(f"{ask.method} {ask.path}: {got.status_code} {got.text}")
        kind = got.headers.get("content-type", "")
        found[f"{ask.method} {ask.path}"] = (got.status_code, kind, got.text)
    return found


async def rate(url: str, ask: Ask, seconds: float) -> float:
    """Return how many answers a second a server gives to one request, over some connections."""
    port = int(url.rpartition(":")[2])
    end = time.perf_counter() + seconds

    wires = [each.wire for each in ask.variants]

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 0
        while time.perf_counter() < end:
            writer.write(wires[count % len(wires)])
            head = await reader.readuntil(b"\r\n\r\n")
            fields = head.lower()
            if b"content-length:" in fields:
                start = fields.index(b"content-length:") + len(b"content-length:")
                await reader.readexactly(int(fields[start : fields.index(b"\r", start)]))
            count += head.startswith(b"HTTP/1.1 2")
        writer.close()
        return count

    began = time.perf_counter()
    counts = await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return sum(counts) / (time.perf_counter() - began)


def measure_rates(seconds: float) -> list[Found]:
    """Return both rates for every request, and those of the mixes, which have the budgets."""
    with tempfile.TemporaryDirectory() as folder, serving(sandbox()) as ours:
        canned = Path(folder, "answers.json")
        canned.write_text(json.dumps(answers(ours)), "utf-8")
        found: list[Found] = []
        with serving([sys.executable, str(PEER), str(canned)]) as peer:
            for kind, asks in ASKS.items():
                times = [0.0, 0.0]
                for ask in asks:
                    rates = [asyncio.run(rate(url, ask, seconds)) for url in (ours, peer)]
                    times = [total + 1 / each for total, each in zip(times, rates, strict=True)]
                    path = ask.path.partition("?")[0]
                    found.append(Row(f"{ask.method} {path}", rates[0], "answers/s", BARE, rates[1]))
                mix, bare = (len(asks) / total for total in times)
                budget = at_least(LIMITS[kind], "ratio")
                found.append(Row(f"the mix of {kind}", mix, "answers/s", BARE, bare, budget))
    return found


def latency(url: str, ask: Ask, runs: int = 60) -> float:
    """Return the milliseconds that an answer takes, the median of some."""
    took = []
    with httpx.Client(base_url=url, headers={"Authorization": ask.authorization}) as client:
        for _ in range(runs):
            began = time.perf_counter()
            client.get(ask.path).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    return median(took)


def measure_scale(scale: int) -> list[Found]:
    """Return what filtered lists take in a large account, beside the demo account."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "large.db"))
        began = time.perf_counter()
        with (
            serving(sandbox("--data", file, "--scale", str(scale))) as large,
            serving(sandbox()) as small,
        ):
            took, size = time.perf_counter() - began, Path(file).stat().st_size / 1e6
            found: list[Found] = [
                Row(f"fill an account of scale {scale}", took, "s"),
                Row("its file", size, "MB"),
            ]
            for ask in LISTS:
                small_took, large_took = (latency(url, ask) for url in (small, large))
                budget = at_most(SLOWER, "ratio")
                name = f"{ask.method} {ask.path}"
                found.append(Row(name, large_took, "ms", "demo account", small_took, budget))
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--seconds", type=float, default=2, help="for each request and server")
    parser.add_argument("--scale", type=int, help="measure filtered lists at this scale instead")


def rows(options: argparse.Namespace) -> list[Found]:
    """Measure what was asked for."""
    if options.scale:
        return measure_scale(options.scale)
    return measure_rates(0.05 if options.quick else options.seconds)


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
