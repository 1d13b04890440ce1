"""One line of a policy: when a person is asked about one kind of impact, in one unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from talonone_mcp.core.impact import Kind

BUILT_IN = "built in"
RATIO = "percent"  # of one call, the largest counts; calls are summed only if a line says so
OTHER = "other"  # stands for every unit that has no line of its own
DEFAULT_WINDOW_S = 24 * 3600.0
MIN_WINDOW_S = 60.0
MAX_WINDOW_S = 31 * 24 * 3600.0
ALL_TIMES = 10  # the sum of all principals, in sums of one, unless a line says otherwise

Asked = Literal["never", "always", "beyond"]
"""When a line has a person asked; "beyond" means beyond one of its limits."""


class PolicyError(ValueError):
    """A policy cannot be used. The message has a line for each problem, saying where it is."""


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """When a person is asked about one kind of impact, in one unit.

    Attributes:
        kind: the kind of impact.
        unit: what is counted; `OTHER` for any unit without a line of its own.
        asked: when.
        above: the most in one call that nobody is asked about; None for no such limit.
        at_least: the least in one call that a person is asked about; `from` in a file.
        sum_above: the most without asking, by one principal within the window.
        sum_of_all_above: the same for all principals together.
        origin: where the line comes from.
    """

    kind: Kind
    unit: str
    asked: Asked
    above: float | None = None
    at_least: float | None = None
    sum_above: float | None = None
    sum_of_all_above: float | None = None
    origin: str = BUILT_IN

    def to_json(self) -> dict[str, Any]:
        """Return its JSON form, from which `PolicyLine(**form)` makes it again."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def beyond(
    kind: Kind, unit: str, limits: Mapping[str, float | None], origin: str = BUILT_IN
) -> PolicyLine:
    """Return a line with limits. Left-out sums follow from the others, so that slices count too.

    Args:
        kind: the kind of impact.
        unit: what is counted.
        limits: `above`, `at_least`, `sum_above`, `sum_of_all_above`; None for no limit.
        origin: where the line comes from.
    """
    one_call = limits.get("above", None if unit == RATIO else limits.get("at_least"))
    own = limits.get("sum_above", one_call)
    of_all = limits.get("sum_of_all_above", None if own is None else own * ALL_TIMES)
    return PolicyLine(
        kind, unit, "beyond", limits.get("above"), limits.get("at_least"), own, of_all, origin
    )
