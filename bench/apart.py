"""Runs one benchmark in a fresh process: they weigh memory, and one sets a clock aside."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module

from bench.rows import Failed, Found, no_options, parser_of


def measure(name: str, arguments: Sequence[str]) -> list[Found]:
    """Run one benchmark in this process."""
    module = import_module(f"bench.{name}")
    parser = parser_of(None, getattr(module, "add_options", no_options))
    found: list[Found] = module.rows(parser.parse_args(arguments))
    return found


def apart(name: str, arguments: Sequence[str]) -> list[Found]:
    """Run one benchmark in a process of its own; one that fails says why in place of its rows."""
    fresh = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as pool:
            return pool.submit(measure, name, arguments).result()
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}".splitlines()
        return [Failed(name, why[0])]
