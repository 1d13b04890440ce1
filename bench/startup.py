"""How long a host waits for the tools, and what the waiting server weighs, against a bare server.

Run it with the interpreter of the installation to measure, a wheel's for figures that count:

    python3 -m venv /tmp/wheel && /tmp/wheel/bin/pip install .
    /tmp/wheel/bin/python bench/startup.py

Both servers are started in turn, so that whatever else the machine does meets both. Medians of few
runs still swing with it; the fastest runs, where least came between, tell the servers apart better.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

PEER = Path(__file__).parent / "peers" / "bare_server.py"
COMMANDS = {
    "bare mcp server": [sys.executable, str(PEER)],
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
LIMITS = {"start": 1.2, "memory": 1.25, "list": 20.0}


@dataclass(frozen=True, slots=True)
class Run:
    """One start: seconds to the tools, seconds of that for the list itself, resident megabytes."""

    start: float
    listing: float
    memory: float
    tools: int


def start(name: str) -> Run:
    """Start a server, list its tools as a host does, weigh it, and end it."""
    began = time.perf_counter()
    with subprocess.Popen(
        COMMANDS[name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT.get(name, {}),
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


def main() -> int:
    """Measure, print the table, and return 1 when a limit is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=5)
    runs = options.parse_args().runs
    results: dict[str, list[Run]] = {name: [] for name in COMMANDS}
    for name in COMMANDS:
        start(name)  # once unmeasured, so that bytecode and file cache are there for all
    for _ in range(runs):
        for name in COMMANDS:
            results[name].append(start(name))
    package = find_spec("talonone_mcp")
    print(f"Python {sys.version.split()[0]}, {package.origin if package else ''}, {runs} runs each")
    return _report(results)


def _report(results: dict[str, list[Run]]) -> int:
    peer = next(iter(results.values()))
    missed = False
    row = "{:<24} {:>9} {:>6} {:>8} {:>10} {:>9} {:>6} {:>6}"
    print(row.format("medians", "start s", "ratio", "fastest", "list ms", "MB", "ratio", "tools"))
    for name, runs in results.items():
        seconds, memory = median(r.start for r in runs), median(r.memory for r in runs)
        start_ratio = seconds / median(r.start for r in peer)
        fastest_ratio = min(r.start for r in runs) / min(r.start for r in peer)
        memory_ratio = memory / median(r.memory for r in peer)
        listing = median(r.listing for r in runs) * 1000
        missed |= start_ratio > LIMITS["start"] or memory_ratio > LIMITS["memory"]
        missed |= listing > LIMITS["list"]
        print(
            row.format(
                name,
                f"{seconds:.3f}",
                f"{start_ratio:.2f}",
                f"{fastest_ratio:.2f}",
                f"{listing:.1f}",
                f"{memory:.1f}",
                f"{memory_ratio:.2f}",
                runs[0].tools,
            )
        )
    print(row.format("at most", "", LIMITS["start"], "", LIMITS["list"], "", LIMITS["memory"], ""))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
