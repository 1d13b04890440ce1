"""How long the whole catalog takes to load, against parsing its JSON and doing nothing with it.

    python -m bench.catalog_load

In a checkout, the package is measured as its wheel holds it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from statistics import median

from bench.packed import packed
from bench.rows import Found, Row, alone, at_most

LIMIT = 60.0  # milliseconds
OURS = """
import time
from talonone_mcp.core import catalog
began = time.perf_counter()
count = len(catalog.load().operations)
print((time.perf_counter() - began) * 1000, count)
"""
PEER = """
import json, time
from importlib.resources import files
compiled = files("talonone_mcp") / "catalog.json"
began = time.perf_counter()
count = len(json.loads(compiled.read_bytes())["operations"])
print((time.perf_counter() - began) * 1000, count)
"""


def run(program: str, environment: Mapping[str, str]) -> tuple[float, int]:
    """Run a program in a fresh process; return its milliseconds and how many operations it saw."""
    out = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=dict(environment),
    )
    took, count = out.stdout.split()
    return float(took), int(count)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--runs", type=int, default=11)


def rows(options: argparse.Namespace) -> list[Found]:
    """Return the medians of both."""
    ours, peer = [], []
    with packed() as environment:
        for _ in range(1 if options.quick else options.runs):
            # In turn, so that whatever else the machine does meets both.
            ours.append(run(OURS, environment))
            peer.append(run(PEER, environment))
    load, parse = (median(took for took, _ in each) for each in (ours, peer))
    count = ours[0][1]
    return [Row(f"load {count} operations", load, "ms", "json.loads alone", parse, at_most(LIMIT))]


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
