"""`python -m bench`: it runs all benchmarks. No figure is looked at, but that there is one."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench.__main__ import BENCHES, RESULTS
from bench.apart import apart
from bench.rows import (
    Budget,
    Failed,
    Row,
    Skipped,
    all_kept,
    all_ran,
    at_least,
    at_most,
    cells,
    parser_of,
)
from bench.surface import CATALOG, HELD_OUT_QUESTIONS, QUESTIONS, measure_fastmcp

from talonone_mcp import __version__

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def questions(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a quick run of the cheapest one writes."""
    written = tmp_path_factory.mktemp("bench") / "found.md"
    ran = bench("--only", "gate", "--quick", "--output", str(written))
    assert (ran.returncode, ran.stderr) == (0, "")
    return written.read_text("utf-8")


def test_a_run_writes_what_was_found_and_with_which_versions(results: str) -> None:
    for part in (
        "`python -m bench.gate`", "| added to a read |", "at most 1", "quick run", "(2 requests)",
    ):  # fmt: skip
        assert part in results
    for name in ("cores", "Python", "mcp", "date"):
        assert f"\n- {name}: " in results
    assert f"- talonone-mcp: {__version__}" in results


def test_the_results_name_neither_the_machine_nor_a_place_on_it(results: str) -> None:
    assert str(ROOT) not in results
    assert str(Path.home()) not in results
    assert platform.node() not in results.split()


def test_a_part_of_them_leaves_the_results_as_they_are() -> None:
    before = RESULTS.read_bytes() if RESULTS.exists() else None

    assert bench("--only", "gate", "--quick").returncode == 0
    assert (RESULTS.read_bytes() if RESULTS.exists() else None) == before


def test_a_benchmark_that_there_is_not_is_wrong_use() -> None:
    ran = bench("--only", "gait")

    assert ran.returncode == 2
    assert "'gait'" in ran.stderr


def test_a_benchmark_that_fails_says_why() -> None:
    [found] = apart("no_such_benchmark", [])

    assert isinstance(found, Failed)
    assert "no_such_benchmark" in found.why
    assert not all_ran([found])


def test_a_peer_that_is_not_installed_is_said_to_be_skipped() -> None:
    found = measure_fastmcp(None, None)

    assert isinstance(found, Skipped)
    assert "--fastmcp" in found.why
    assert cells(found)[1] == "skipped"
    assert all_ran([found])


@pytest.mark.parametrize("name", BENCHES)
def test_every_benchmark_has_the_same_shape(name: str) -> None:
    module = import_module(f"bench.{name}")

    options = parser_of(None, module.add_options).parse_args(["--quick"])
    assert options.quick
    assert callable(module.rows)
    assert f"python -m bench.{name}" in (module.__doc__ or "")


def test_every_benchmark_that_there_is_is_run() -> None:
    files = {path.stem for path in (ROOT / "bench").glob("*.py")}
    shared = {"__init__", "__main__", "apart", "machine", "packed", "rows"}

    assert files - shared == set(BENCHES)


@pytest.mark.parametrize(
    ("budget", "kept"),
    [
        (None, True),
        (at_most(10), True),
        (at_most(9.9), False),
        (at_least(10), True),
        (at_least(10.1), False),
        (at_most(2, "ratio"), True),
        (at_most(1.9, "ratio"), False),
        (at_least(2, "ratio"), True),
        (at_least(2.1, "ratio"), False),
    ],
)
def test_a_budget_is_of_the_value_or_of_the_ratio(budget: Budget | None, kept: bool) -> None:
    row = Row("a call", 10, "ms", "a bare call", 5, budget)

    assert row.ratio == 2
    assert row.kept is kept
    assert all_kept([row]) is kept
    assert cells(row)[-1] == ("" if kept else "NOT KEPT")


def test_a_budget_of_a_ratio_without_a_peer_is_not_kept() -> None:
    assert not Row("a call", 10, "ms", budget=at_most(2, "ratio")).kept


@pytest.mark.parametrize("path", [QUESTIONS, HELD_OUT_QUESTIONS])
def test_questions_are_answered_by_one_to_three_tools_that_exist(path: Path) -> None:
    names = {tool.name for tool in CATALOG.tools}

    for question in questions(path):
        assert question.keys() == {"ask", "answer"}
        assert 1 <= len(question["answer"]) <= 3, question
        assert set(question["answer"]) <= names, question


def test_no_question_is_asked_twice_or_both_tuned_and_held_out() -> None:
    held_out = [each["ask"].casefold() for each in questions(HELD_OUT_QUESTIONS)]
    tuned = {each["ask"].casefold() for each in questions(QUESTIONS)}

    assert len(held_out) == len(set(held_out)) == 150
    assert not tuned & set(held_out)
