"""The rows of a policy and of its sums, for a table and for a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from talonone_mcp.calls.caller import LOCAL
from talonone_mcp.core.policy import OTHER, Policy, PolicyLine
from talonone_mcp.core.policy.amounts import Key
from talonone_mcp.core.policy.reasons import number, when_asked
from talonone_mcp.store.sums import PrincipalSum

POLICY_HEAD = ("kind", "unit", "a person is asked", "from")
SUMS_HEAD = ("principal", "kind", "unit", "unasked", "asked", "left before somebody is asked")


@dataclass(frozen=True, slots=True)
class SumRow:
    """A sum, and what is left of its limits; None if nothing limits it."""

    sum: PrincipalSum
    left: float | None

    def to_json(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {**asdict(self.sum), "left": self.left}

    def cells(self) -> tuple[str, ...]:
        """Return a cell for each column of `SUMS_HEAD`."""
        amounts = (number(self.sum.unasked), number(self.sum.asked))
        left = "no limit" if self.left is None else number(self.left)
        return (self.sum.principal, self.sum.kind, self.sum.unit, *amounts, left)


def policy_rows(policy: Policy) -> Iterator[tuple[str, ...]]:
    """Yield a cell for each column of `POLICY_HEAD`, line by line."""
    for line in policy.lines:
        others = sum(each.kind == line.kind for each in policy.lines) > 1
        unit = ("any other" if others else "any") if line.unit == OTHER else line.unit
        yield line.kind, unit, when_asked(line, policy.window_s), line.origin


def policy_record(policy: Policy) -> dict[str, Any]:
    """Return a policy as a script reads it, its limits named as in a policy file."""
    return {
        "window": window_record(policy),
        "lines": [_line_record(line) for line in policy.lines],
    }


def window_record(policy: Policy) -> dict[str, Any]:
    """Return how far back the sums of a policy reach."""
    return {"seconds": policy.window_s, "origin": policy.window_origin}


def sum_rows(policy: Policy, sums: Sequence[PrincipalSum]) -> Iterator[SumRow]:
    """Yield what every principal's calls did, and what is left; first what has a limit.

    Where nobody called yet, the rows are those of this machine's user.
    """
    limited = policy.limited
    known = {(each.principal, (each.kind, each.unit)): each for each in sums}
    together: dict[Key, float] = {}
    for each in sums:
        key: Key = (each.kind, each.unit)
        together[key] = together.get(key, 0.0) + each.unasked
    for who in dict.fromkeys(each.principal for each in sums) or (LOCAL,):
        own: list[Key] = [(each.kind, each.unit) for each in sums if each.principal == who]
        for key in dict.fromkeys([*limited, *own]):
            one = known.get((who, key)) or PrincipalSum(who, *key, 0.0, 0.0)
            yield SumRow(one, policy.left(key, one.unasked, together.get(key, 0.0)))


def _line_record(line: PolicyLine) -> dict[str, Any]:
    return {"from" if name == "at_least" else name: each for name, each in line.to_json().items()}
