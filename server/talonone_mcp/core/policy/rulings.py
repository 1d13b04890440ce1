"""A policy, and what it decides about a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from talonone_mcp.core.impact import Impact, Kind
from talonone_mcp.core.policy import reasons
from talonone_mcp.core.policy.amounts import NOTHING_SPENT, Bound, Key, Spent, totals
from talonone_mcp.core.policy.policy_lines import (
    BUILT_IN,
    DEFAULT_WINDOW_S,
    OTHER,
    PolicyLine,
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a policy decides about a call.

    Attributes:
        asked: whether a person must say yes first.
        because: why, naming the line that decides.
    """

    asked: bool
    because: str


@dataclass(frozen=True, slots=True)
class Policy:
    """When a person is asked. What no line is about is always asked about.

    Attributes:
        lines: at most one for each kind and unit.
        window_s: how far back the sums reach, in seconds.
        window_origin: where that comes from.
        units: what a policy file may name as a unit.
    """

    lines: tuple[PolicyLine, ...] = ()
    window_s: float = DEFAULT_WINDOW_S
    window_origin: str = BUILT_IN
    units: tuple[str, ...] = ()

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Policy:
        """Rebuild a policy from its JSON form; an empty one asks about everything."""
        fields = dict(record)
        fields["lines"] = tuple(PolicyLine(**line) for line in fields.get("lines", ()))
        fields["units"] = tuple(fields.get("units", ()))
        return cls(**fields)

    def to_json(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {**asdict(self), "lines": [line.to_json() for line in self.lines]}

    def line(self, kind: Kind, unit: str) -> PolicyLine:
        """Return the line that decides about a kind of impact in a unit."""
        of_kind = {line.unit: line for line in self.lines if line.kind == kind}
        always = PolicyLine(kind, OTHER, "always")
        return of_kind.get(unit) or of_kind.get(OTHER, always)

    def bounds(self, keys: Iterable[Key]) -> dict[Key, Bound]:
        """Return what may go without asking within the window, for each kind and unit."""
        lines = {key: self.line(*key) for key in keys}
        return {key: Bound(line.sum_above, line.sum_of_all_above) for key, line in lines.items()}

    @property
    def limited(self) -> list[Key]:
        """The kinds and units of which some may go without asking within the window."""
        return [
            (line.kind, line.unit)
            for line in self.lines
            if line.unit != OTHER and (line.sum_above, line.sum_of_all_above) != (None, None)
        ]

    def left(self, key: Key, own: float, together: float) -> float | None:
        """Return how much more may go without asking; None if nothing limits it.

        Args:
            key: the kind and unit.
            own: what the principal's calls did without asking within the window.
            together: the same for all principals.
        """
        line = self.line(*key)
        if line.asked == "always":
            return 0.0
        limits = ((line.sum_above, own), (line.sum_of_all_above, together))
        left = [max(0.0, limit - spent) for limit, spent in limits if limit is not None]
        return min(left, default=None)

    def judge(self, impacts: Sequence[Impact], spent: Spent = NOTHING_SPENT) -> Ruling:
        """Decide about one call. Its impacts of one kind and unit count together.

        Args:
            impacts: what the call does.
            spent: what went without asking within the window, not counting this call.
        """
        sums = totals(impacts)
        for key, total in sums.items():
            line = self.line(*key)
            if why := reasons.to_ask(line, key, total, spent, self.window_s):
                return Ruling(asked=True, because=why)
        if not sums:
            return Ruling(asked=False, because=reasons.NOTHING)
        key, total = next(iter(sums.items()))
        return Ruling(asked=False, because=reasons.not_to_ask(self.line(*key), key, total))
