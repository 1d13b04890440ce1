"""How long a host waits for the tools, and what the waiting server weighs, against a bare server.

    python -m bench.startup

In a checkout, the package is measured as its wheel holds it. All are started in turn, so that
whatever else the machine does meets all. Medians of few runs still swing with it; the fastest runs,
where least came between, tell the servers apart better. `--help` stands for the commands of the
terminal, beside a Python that does nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.packed import packed
from bench.rows import Found, Row, alone, at_most

PEER = Path(__file__).parent / "peers" / "bare_server.py"
BARE = "bare mcp server"
COMMANDS = {
    BARE: [sys.executable, str(PEER)],
    "talonone-mcp": [sys.executable, "-m", "talonone_mcp", "serve"],
    "talonone-mcp --sandbox": [sys.executable, "-m", "talonone_mcp", "serve", "--sandbox"],
}
ENVIRONMENT = {
    "talonone-mcp": {
        "TALONONE_BASE_URL": "https://example.invalid",
        "TALONONE_MANAGEMENT_KEY": "key",
    }
}
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
START, MEMORY, LISTING = 1.2, 1.25, 20.0  # times the peer, times the peer, milliseconds
HELP = 150.0  # milliseconds more than a bare Python


@dataclass(frozen=True, slots=True)
class Run:
    """One start: seconds to the tools, seconds of that for the list itself, resident megabytes."""

    start: float
    listing: float
    memory: float
    tools: int


def start(name: str, packed_in: Mapping[str, str]) -> Run:
    """Start a server, list its tools as a host does, weigh it, and end it."""
    began = time.perf_counter()
    with subprocess.Popen(
        COMMANDS[name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**ENVIRONMENT.get(name, {}), **packed_in},
        text=True,
    ) as process:
        _ask(process, 1, "initialize", INITIALIZE)
        _tell(process, {"method": "notifications/initialized"})
        asked = time.perf_counter()
        listed = _ask(process, 2, "tools/list", {})
        answered = time.perf_counter()
        memory = _resident(process.pid)
        assert process.stdin
        process.stdin.close()
    return Run(answered - began, answered - asked, memory, len(listed["tools"]))


def _ask(process: subprocess.Popen[str], number: int, method: str, params: Any) -> Any:
    _tell(process, {"id": number, "method": method, "params": params})
    assert process.stdout
    answer = json.loads(process.stdout.readline())
    assert answer["id"] == number, answer
    return answer["result"]


def _tell(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()


def _resident(pid: int) -> float:
    """Return resident megabytes, as Linux tells them."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def brief(arguments: list[str], packed_in: Mapping[str, str]) -> float:
    """Return the milliseconds that a command takes which ends by itself."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], env=dict(packed_in), stdout=subprocess.DEVNULL, check=True
    )
    return (time.perf_counter() - began) * 1000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--runs", type=int, default=5)


def rows(options: argparse.Namespace) -> list[Found]:
    """Start everything in turn, and return the medians."""
    runs = 1 if options.quick else options.runs
    started: dict[str, list[Run]] = {name: [] for name in COMMANDS}
    help_, nothing = [], []
    with packed() as variables:
        for name in COMMANDS:
            start(name, variables)  # once unmeasured, so that bytecode is there for all
        for _ in range(runs):
            for name in COMMANDS:
                started[name].append(start(name, variables))
            help_.append(brief(["-m", "talonone_mcp", "--help"], variables))
            nothing.append(brief(["-c", "pass"], variables))
    peer = started.pop(BARE)
    found = [row for name, ours in started.items() for row in _compared(name, ours, peer)]
    terminal, python = median(help_), median(nothing)
    return [
        *found,
        Row("talonone-mcp --help", terminal, "ms", "python -c pass", python),
        Row("talonone-mcp --help, more than that", terminal - python, "ms", budget=at_most(HELP)),
    ]


def _compared(name: str, ours: list[Run], peer: list[Run]) -> list[Found]:
    seconds, bare_seconds = (median(run.start for run in each) for each in (ours, peer))
    fastest, bare_fastest = (min(run.start for run in each) for each in (ours, peer))
    listing = median(run.listing for run in ours) * 1000
    memory, bare_memory = (median(run.memory for run in each) for each in (ours, peer))
    budget, weight = at_most(START, "ratio"), at_most(MEMORY, "ratio")
    return [
        Row(f"{name}: to the tools", seconds, "s", BARE, bare_seconds, budget),
        Row(f"{name}: the fastest", fastest, "s", BARE, bare_fastest),
        Row(f"{name}: {ours[0].tools} tools listed", listing, "ms", budget=at_most(LISTING)),
        Row(f"{name}: memory", memory, "MB", BARE, bare_memory, weight),
    ]


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
