"""What an export of 200 MB costs as an MCP call, against bare `httpx` that writes the same bytes.

    python -m bench.export

Upstream is a process of its own. The call goes the whole way of a call: through an MCP client, the
limiter, the redaction of secrets, the counting of rows, the file, the summary. Both are run in
turn, and the fastest runs compared, where least came between. Memory is that of this process, at
its highest during the export, above what it was before. Linux alone tells that.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio
import httpx
from mcp import Client

from bench.rows import Found, Row, Skipped, alone, at_least, at_most
from talonone_mcp.core import catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server

SERVER = Path(__file__).parent / "peers" / "export_server.py"
ROWS, MEGABYTES = 2_000_000, 200
SHARE, MEMORY = 0.6, 20.0  # of the bare throughput; megabytes


async def bare(url: str) -> float:
    """Write the export with bare httpx, and return the seconds."""
    with tempfile.TemporaryFile() as file:
        began = time.perf_counter()
        async with httpx.AsyncClient(timeout=60) as http, http.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                file.write(chunk)
        took = time.perf_counter() - began
        assert file.tell() > MEGABYTES * 1_000_000
    return took


async def called(client: Client, program: str) -> tuple[float, int]:
    """Export by calling the tool, and return the seconds and the rows."""
    began = time.perf_counter()
    result = await client.call_tool("export_loyalty_join_dates", {"loyaltyProgramId": program})
    took = time.perf_counter() - began
    answer: Any = result.structured_content
    assert not result.is_error, answer
    return took, answer["export"]["rows"]


def resident(what: str = "VmRSS") -> float:
    """Return this process's resident megabytes, or with `VmHWM` the most since the last reset."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {what}")


def begin_anew() -> None:
    """Reset what `VmHWM` tells."""
    Path("/proc/self/clear_refs").write_text("5")


async def measure(url: str, state: Path, runs: int) -> list[Found]:
    """Run both in turn, and return what they took."""
    environment = {
        "TALONONE_BASE_URL": url,
        "TALONONE_MANAGEMENT_KEY": "0123456789abcdef" * 4,
        "TALONONE_STATE_DIR": str(state),
    }
    server = build_server(load_settings({"toolsets": ("loyalty",)}, environment), catalog.load())
    ours, peer, grown = [], [], []
    async with Client(server) as client:
        await called(client, "short")  # what is loaded and made the first time
        for _ in range(runs):
            peer.append(await bare(f"{url}/v1/x"))
            gc.collect()
            before = resident()
            begin_anew()
            took, rows = await called(client, "1")
            ours.append(took)
            grown.append(resident("VmHWM") - before)
            assert rows == ROWS, rows
    rate, bare_rate = (MEGABYTES / min(each) for each in (ours, peer))
    name = f"export {MEGABYTES} MB in {ROWS:,} rows, the fastest run"
    return [
        Row(name, rate, "MB/s", "bare httpx", bare_rate, at_least(SHARE, "ratio")),
        Row("memory that it takes", max(grown), "MB", budget=at_most(MEMORY)),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--runs", type=int, default=9)


def rows(options: argparse.Namespace) -> list[Found]:
    """Start the server, measure, and end it."""
    if not Path("/proc/self/clear_refs").exists():
        return [Skipped("export", "this system does not tell what memory a process takes")]
    command = [sys.executable, str(SERVER)]
    with (
        tempfile.TemporaryDirectory() as state,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            assert server.stdout
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            return anyio.run(measure, url, Path(state), 1 if options.quick else options.runs)
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
