"""What is wrong with a policy file is said with its line, all of it at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.policy import Policy, PolicyError, operators_policy


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


def problems(catalog: Catalog, file: Path, text: str | bytes) -> list[str]:
    """Return what is wrong with a policy, a line each."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PolicyError) as raised:
        operators_policy(catalog.policy, {}, file)
    return str(raised.value).splitlines()


def test_every_problem_is_named_with_its_line(catalog: Catalog, file: Path) -> None:
    text = """
gvies: always
gives:
  point: never
  points: {abov: 3, above: -1}
  codes: 12
  cards: {above: '3', from: 2}
  above: 3
destroys: alway
window: 2 weeks
gives: never
"""
    assert problems(catalog, file, text) == [
        'policy.yaml, line 2: there is no kind of impact "gvies"; did you mean gives?',
        'policy.yaml, line 4: there is no unit "point"; did you mean points?',
        'policy.yaml, line 5: there is no option "abov"; did you mean above?',
        'policy.yaml, line 5: above must be a number of 0 or more, not "-1"',
        "policy.yaml, line 6: must be never, always, or limits such as {above: 100}, not \"12\"",
        'policy.yaml, line 7: above must be a number of 0 or more, not "3"',
        "policy.yaml, line 7: cards has both above and from; keep one",
        "policy.yaml, line 8: above belongs to a unit, as in gives: {codes: {above: 10}}",
        'policy.yaml, line 9: must be never, always, or limits by unit, not "alway";'
        " did you mean always?",
        "policy.yaml, line 10: window must be a span of time such as 24 hours, up to 31 days, not"
        ' "2 weeks"',
        'policy.yaml, line 11: "gives" is there twice',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- gives", "line 1: must be a mapping of kinds of impact"),
        ("gives", "line 1: must be a mapping of kinds of impact"),
        ("gives: {}", "line 1: must be never, always, or limits by unit"),
        ("gives: [points]", "line 1: must be never, always, or limits by unit"),
        ("gives:", "line 1: must be never, always, or limits by unit"),
        ("gives: !!python/object:os.system {}", "line 1: must be never, always, or limits by unit"),
        ("gives: {points: {}}", "line 1: points needs a limit, such as {above: 100}"),
        ("gives: {points: {above: }}", "line 1: above must be a number of 0 or more"),
        ("gives: {points: {above: many}}",
         'line 1: above must be a number of 0 or more, not "many"'),
        ("gives: {points: {above: never}}",
         'line 1: above must be a number of 0 or more, not "never"'),
        ("gives: {points: {above: .inf}}",
         'line 1: above must be a number of 0 or more, not ".inf"'),
        ("gives: {points: {above: .nan}}",
         'line 1: above must be a number of 0 or more, not ".nan"'),
        ("gives: {points: {above: 010}}",
         'line 1: above must be a number of 0 or more, not "010"'),
        ("gives: {points: {above: 1:30}}",
         'line 1: above must be a number of 0 or more, not "1:30"'),
        ("gives: {points: {sum_above: x}}",
         'line 1: sum_above must be a number of 0 or more, or never, not "x"'),
        ("gives: never\ncloses: yes\n",
         'line 2: must be never, always, or limits by unit, not "yes"'),
        ("window: 0 hours", 'line 1: window must be a span of time such as 24 hours, up to 31 days,'
         ' not "0 hours"'),
        ("window: 32 days", 'line 1: window must be a span of time such as 24 hours, up to 31 days,'
         ' not "32 days"'),
        ("? [a]\n: b", "line 1: a key must be a word"),
        ("xyz: never", 'line 1: there is no kind of impact "xyz"; it must be one of destroys,'
         " takes, gives, opens, closes, drops, prices, grants, sends, window"),
        ("gives: {points: always", "line 1: is not valid YAML: expected ',' or '}', but got"
         " '<stream end>'"),
        ("takes: always\n\tgives: never", "line 2: is not valid YAML: found character '\\t' that"
         " cannot start any token"),
        ("takes: always\n---\ngives: never",
         "line 2: is not valid YAML: but found another document"),
        (b"takes: always\ngives: \xff", "line 2: is not UTF-8 text"),
        ("takes: always\ngives: \x07", "line 2: has a character that YAML forbids"),
        ("gives: &all {points: never}\ntakes: *all",
         "line 1: must not use anchors (&) or aliases (*)"),
        ("a:\n b:\n  c:\n   d:\n    e: 1", "line 5: is nested too deeply"),
    ],
)  # fmt: skip
def test_a_problem_is_named(catalog: Catalog, file: Path, text: str | bytes, problem: str) -> None:
    assert problems(catalog, file, text) == [f"policy.yaml, {problem}"]


def test_what_is_repeated_forms_no_line_of_its_own(catalog: Catalog, file: Path) -> None:
    [problem] = problems(catalog, file, '"x\\n\\e[31mpolicy.yaml, line 9: fine\\" \u202e": always')

    assert problem.startswith('policy.yaml, line 1: there is no kind of impact "x ')
    assert problem.count('"') == 2
    assert "\x1b" not in problem
    assert "\u202e" not in problem


@pytest.mark.parametrize(
    "text", ["[" * 60_000, "{" * 60_000, "- " * 30_000, "? " * 30_000, "a: " * 20_000,
             "&a [" * 15_000, "x" * 65_000, "x\n" * 30_000, "'" * 65_000],
)  # fmt: skip
def test_no_file_costs_more_than_a_moment(catalog: Catalog, file: Path, text: str) -> None:
    before = time.process_time()

    assert len(problems(catalog, file, text)) == 1
    assert time.process_time() - before < 5


def test_a_file_that_cannot_be_read_is_named(catalog: Catalog, file: Path) -> None:
    def problem(path: Path) -> str:
        with pytest.raises(PolicyError) as raised:
            operators_policy(catalog.policy, {}, path)
        return str(raised.value)

    assert problem(file) == f"cannot read the policy {file}: No such file or directory"
    assert problem(file.parent) == f"cannot read the policy {file.parent}: Is a directory"
    file.write_bytes(b"#" * 100_000)
    assert problem(file) == f"cannot read the policy {file}: it has more than 65,536 bytes"
    pipe = file.with_name("pipe")
    os.mkfifo(pipe)
    assert problem(pipe) == f"cannot read the policy {pipe}: it is no ordinary file"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "\ufeff# with a mark\n"])
def test_an_empty_file_changes_nothing(catalog: Catalog, file: Path, text: str) -> None:
    file.write_text(text, "utf-8")

    assert operators_policy(catalog.policy, {}, file) == catalog.policy


def test_the_built_in_policy_can_be_copied_as_a_file(catalog: Catalog, file: Path) -> None:
    built_in = Path(__file__).parents[2] / "tools" / "_policy.yaml"
    file.write_bytes(built_in.read_bytes())
    copied = operators_policy(catalog.policy, {}, file)

    def limits(policy: Policy) -> list[dict[str, object]]:
        return [{**line.to_json(), "origin": ""} for line in policy.lines]

    assert limits(copied) == limits(catalog.policy)
    assert {line.origin.partition(" line ")[0] for line in copied.lines} == {"policy.yaml"}
