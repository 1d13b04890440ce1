"""Runs all benchmarks and writes what they found to `bench/RESULTS.md`.

    python -m bench [--fastmcp PYTHON --documents FOLDER]
    python -m bench --only NAME [--quick] [--output FILE]

They run one after the other, for some minutes. A part of them, or a quick run, leaves the file as
it is. What takes minutes by itself (`python -m bench.sandbox --scale 2000`) is left out. The exit
status is 1 when a budget is not kept or a benchmark fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.apart import apart
from bench.machine import machine
from bench.rows import Found, all_kept, all_ran, markdown, table

RESULTS = Path(__file__).with_name("RESULTS.md")
BENCHES: Mapping[str, str] = {
    "tokens": "What the definitions cost a model",
    "surface": "What a model is shown, and whether it finds the right operation",
    "catalog_load": "Loading the catalog",
    "startup": "Starting",
    "client": "The client: pace, overhead, what cancelled calls leave",
    "export": "An export of 200 MB",
    "gate": "The gate and the audit log",
    "sandbox": "The sandbox",
}


def document(results: Mapping[str, Sequence[Found]], quick: bool) -> str:
    """Return what `RESULTS.md` holds."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m bench`. Every ratio is to what stands beside it, measured in the",
        "same run on the same machine; the figures by themselves are that machine's.",
        "",
        *(["**A quick run: these figures mean nothing.**", ""] if quick else []),
        f"- date: {datetime.now(UTC):%Y-%m-%d}",
        *(f"- {name}: {value}" for name, value in machine().items()),
    ]
    for name, found in results.items():
        lines += ["", f"## {BENCHES[name]}", "", f"`python -m bench.{name}`", "", *markdown(found)]
    return "\n".join(lines) + "\n"


def run(options: argparse.Namespace) -> dict[str, list[Found]]:
    """Run what was asked for, and print each table as soon as it is there."""
    results = {}
    for name in options.only or BENCHES:
        arguments = ["--quick"] if options.quick else []
        if name == "surface" and options.fastmcp:
            arguments += ["--fastmcp", options.fastmcp, "--documents", str(options.documents)]
        print(f"=== {BENCHES[name]}: python -m bench.{name}", flush=True)
        began = time.monotonic()
        results[name] = apart(name, arguments)
        print("\n".join(table(results[name])))
        print(f"({time.monotonic() - began:.0f} s)\n", flush=True)
    return results


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--only", action="append", choices=BENCHES, help="may be given repeatedly")
    options.add_argument("--quick", action="store_true", help="only show that they work")
    options.add_argument("--fastmcp", metavar="PYTHON", help="of an environment with fastmcp")
    options.add_argument("--documents", type=Path, metavar="FOLDER", help="with reference-*.json")
    options.add_argument("--output", type=Path, metavar="FILE", help="in place of RESULTS.md")
    return options


def main() -> int:
    """Run, write the results, and return the exit status."""
    commands = parser()
    options = commands.parse_args()
    if bool(options.fastmcp) != bool(options.documents):
        commands.error("--fastmcp and --documents go together")
    results = run(options)
    whole = not (options.quick or options.only)
    if target := options.output or (RESULTS if whole else None):
        target.write_text(document(results, options.quick), "utf-8")
        print(f"written: {target.name}")
    found = [row for rows in results.values() for row in rows]
    return 0 if all_ran(found) and (options.quick or all_kept(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
