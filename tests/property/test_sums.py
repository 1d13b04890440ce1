"""However a gift is sliced, what goes unasked never exceeds the bound: not from eight threads, not
from two processes, not across a restart.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import starmap
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from talonone_mcp.core.policy import Bound
from talonone_mcp.store.sqlite_sums import SUMS_FILE, SqliteSums
from talonone_mcp.store.sums import Key

LIVE, DAY = "https://acme.talon.one", 86_400.0
POINTS: Key = ("gives", "points")
OWN, ALL = 1000, 2500
BOUNDS = {POINTS: Bound(OWN, ALL)}
SHARED = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # a file on a disk waits for it
SLICES = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 600)), min_size=8, max_size=24)
PROCESS = """
import sys
from pathlib import Path
from tests.property.test_sums import give_all
slices = [(each[0], int(each[1:])) for each in sys.argv[2:]]
print(*(f"{who}{points}" for who, points in give_all(Path(sys.argv[1]), slices)))
"""


def give_all(folder: Path, slices: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Give each slice from one of eight threads; return those that nobody had to be asked about."""

    def give(who: str, points: int) -> str | None:
        sums = SqliteSums(folder / SUMS_FILE, lock_timeout_s=30)  # as after a restart
        return sums.count(LIVE, who, {POINTS: points}, BOUNDS, DAY)

    with ThreadPoolExecutor(8) as threads:
        entries = [*threads.map(lambda each: give(*each), slices)]
    return [each for each, entry in zip(slices, entries, strict=True) if entry]


def assert_within_bounds(unasked: list[tuple[str, int]]) -> None:
    own = Counter[str]()
    for who, points in unasked:
        own[who] += points
    assert max(own.values(), default=0) <= OWN
    assert own.total() <= ALL


@given(SLICES)
@settings(max_examples=25)
def test_slices_from_many_threads_stay_within_the_bounds(slices: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory(dir=SHARED) as folder:
        unasked = give_all(Path(folder), slices)
        spent = SqliteSums(Path(folder) / SUMS_FILE).spent(LIVE, "a", DAY)

    assert_within_bounds(unasked)
    assert spent.all.get(POINTS, 0) == sum(points for _, points in unasked)


@given(SLICES, SLICES)
@settings(max_examples=3)
def test_slices_from_two_processes_stay_within_the_bounds(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory(dir=SHARED) as folder:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", PROCESS, folder, *starmap("{}{}".format, slices)],
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                text=True,
            )
            for slices in (first, second)
        ]
        given_by_each = [process.communicate(timeout=60)[0].split() for process in processes]

    assert all(process.returncode == 0 for process in processes)
    assert_within_bounds([(each[0], int(each[1:])) for given in given_by_each for each in given])


@given(SLICES, st.data())
@settings(max_examples=25)
def test_what_is_given_back_can_be_given_again(
    slices: list[tuple[str, int]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory(dir=SHARED) as folder:
        sums = SqliteSums(Path(folder) / SUMS_FILE)
        kept, own = list[tuple[str, str, int]](), Counter[str]()
        for who, points in slices:
            entry = sums.count(LIVE, who, {POINTS: points}, BOUNDS, DAY)
            fits = own[who] + points <= OWN and own.total() + points <= ALL
            assert (entry is not None) == fits
            if entry:
                kept.append((entry, who, points))
                own[who] += points
            back = data.draw(st.integers(0, 2 * len(slices)))  # an entry at about every second
            if back < len(kept):
                taken, taker, amount = kept.pop(back)
                sums.give_back(taken)
                own[taker] -= amount
