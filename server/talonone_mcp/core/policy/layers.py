"""Layers of a policy: lines that replace those of the policy below."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from talonone_mcp.core.impact import KINDS, Kind
from talonone_mcp.core.policy.policy_lines import OTHER, PolicyLine
from talonone_mcp.core.policy.rulings import Policy


@dataclass(frozen=True, slots=True)
class Layer:
    """Lines that replace those of the same kind and unit in the policy below.

    Attributes:
        lines: the lines.
        whole: kinds of which every line below is replaced.
        window_s: the window in seconds; None leaves the one below.
        window_origin: where the window comes from.
    """

    lines: tuple[PolicyLine, ...] = ()
    whole: frozenset[Kind] = frozenset()
    window_s: float | None = None
    window_origin: str = ""


def laid_over(below: Policy, layer: Layer) -> Policy:
    """Return a policy with the lines of a layer in place of its own."""
    named = {(line.kind, line.unit) for line in layer.lines}
    kept = [
        line
        for line in below.lines
        if line.kind not in layer.whole and (line.kind, line.unit) not in named
    ]
    places = {(line.kind, line.unit): place for place, line in enumerate(below.lines)}

    def place(line: PolicyLine) -> tuple[int, bool, float]:
        at = places.get((line.kind, line.unit), math.inf)
        return KINDS.index(line.kind), line.unit == OTHER, at

    policy = replace(below, lines=tuple(sorted([*kept, *layer.lines], key=place)))
    if layer.window_s is None:
        return policy
    return replace(policy, window_s=layer.window_s, window_origin=layer.window_origin)
