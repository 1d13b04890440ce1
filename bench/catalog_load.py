"""How long the whole catalog takes to load, against parsing its JSON and doing nothing with it.

Run it with the interpreter of an installed wheel; in a checkout the catalog is compiled from YAML
at every start, which is another figure:

    /tmp/wheel/bin/python bench/catalog_load.py
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from statistics import median

LIMIT = 60.0  # milliseconds
OURS = """
import time
from talonone_mcp import catalog
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


def run(program: str) -> tuple[float, int]:
    """Run a program in a fresh process; return its milliseconds and how many operations it saw."""
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    took, count = out.stdout.split()
    return float(took), int(count)


def main() -> int:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    ours, peer = [], []
    for _ in range(runs):  # in turn, so that whatever else the machine does meets both
        ours.append(run(OURS))
        peer.append(run(PEER))
    load, parse = (median(took for took, _ in each) for each in (ours, peer))
    print(f"loading {ours[0][1]} operations: {load:.1f} ms (limit {LIMIT:.0f} ms)")
    print(f"json.loads alone: {parse:.1f} ms; loading takes {load / parse:.2f} times as long")
    return 1 if load > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
