"""What an examination finds: what it is about, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined.

    `about` names it in a word or two. A `note` needs no action, a `warning` works but may surprise,
    a `failure` does not work. `remedy` says what to do; it is empty if there is nothing to do.
    """

    about: str
    level: Level
    says: str
    remedy: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level among findings; `ok` if there are none."""
    order: tuple[Level, ...] = ("ok", "note", "warning", "failure")
    return max((each.level for each in findings), key=order.index, default="ok")
