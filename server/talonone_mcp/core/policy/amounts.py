"""How much calls do, by kind and unit: in one call, and within a window."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from talonone_mcp.core.impact import Impact, Kind
from talonone_mcp.core.policy.policy_lines import RATIO

Key = tuple[Kind, str]
"""A kind of impact and a unit."""

Amounts = Mapping[Key, float]
"""How much of each; never negative."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What may go without asking within a window; None means without limit.

    Attributes:
        own: for one principal.
        all: for all principals together.
    """

    own: float | None
    all: float | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What went without asking within a window: of one principal, and of all together."""

    own: Amounts = field(default_factory=dict)
    all: Amounts = field(default_factory=dict)


NOTHING_SPENT = Spent()


def totals(impacts: Iterable[Impact]) -> dict[Key, float | None]:
    """Return the total of each kind and unit, in the order of the impacts.

    None means that it cannot be known. Of percentages, the total is the largest.
    """
    found: dict[Key, float | None] = {}
    for impact in impacts:
        key, measure = (impact.kind, impact.unit), _measure(impact)
        before = found.get(key, 0.0)
        if before is None or measure is None:
            found[key] = None
        else:
            found[key] = max(before, measure) if impact.unit == RATIO else before + measure
    return found


def amounts_of(impacts: Iterable[Impact]) -> dict[Key, float]:
    """Return how much a call counts towards the sums: what of it can be measured."""
    return {key: total for key, total in totals(impacts).items() if total}


def _measure(impact: Impact) -> float | None:
    """Return a measure that no other can be set off against; None if nobody can know it."""
    if impact.measure is None or not math.isfinite(impact.measure):
        return None
    return max(0.0, impact.measure)
