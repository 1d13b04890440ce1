"""The static checks are the same by hand, before a commit and in CI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHECKS = ("lint", "types")


def recipes() -> dict[str, list[str]]:
    """Return the lines of each recipe of the justfile, by its name."""
    text = (ROOT / "justfile").read_text("utf-8")
    found = re.findall(r"^(\w+)[^\n:]*:\n((?:    .+\n)+)", text, re.MULTILINE)
    return {name: [line.strip() for line in lines.splitlines()] for name, lines in found}


def test_the_hooks_are_the_recipes_of_checks() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]

    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    assert [hook["entry"] for hook in hooks] == [
        line for name in CHECKS for line in recipes()[name]
    ]


def test_ci_runs_the_recipes_of_checks() -> None:
    text = (ROOT / ".ci" / "run").read_text("utf-8")

    assert f".venv/bin/just {' '.join(CHECKS)}\n" in text


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_recipe_that_is_named_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = re.findall(r"`(?:\.venv/bin/)?just ([a-z ]+)", text)

    assert {word for words in named for word in words.split()} <= recipes().keys()
