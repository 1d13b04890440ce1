"""What an examination finds: one thing each, how bad it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    `about` names it in a word or two. A `note` need not be acted on, a `warning` works and may
    surprise, a `failure` hinders. `remedy` says what to do; it is empty where nothing need be.
    """

    about: str
    level: Level
    says: str
    remedy: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    """Return the highest level among findings; `ok` of none."""
    order: tuple[Level, ...] = ("ok", "note", "warning", "failure")
    return max((each.level for each in findings), key=order.index, default="ok")
