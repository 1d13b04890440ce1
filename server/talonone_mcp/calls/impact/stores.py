"""What budgets of stores allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from talonone_mcp.calls.impact.call_facts import CallFacts, Measured, number


def store_budgets(facts: CallFacts) -> Iterator[Measured]:
    """Tell that budgets of stores change; how they fall is not shown for each store."""
    budgets = _budgets(facts)
    if budgets is None:
        yield Measured(None, "of the budgets in the file")
    elif budgets.has_zero:
        yield Measured(100, f"of {budgets.count:,} store budgets, of which some are 0")
    else:
        yield Measured(None, f"of {budgets.count:,} store budgets")


def empty_store_budgets(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many stores can give nothing more."""
    budgets = _budgets(facts)
    if budgets is not None and budgets.has_zero:
        yield Measured(budgets.zeros, "can give nothing: their budget is 0")


@dataclass(frozen=True, slots=True)
class _Budgets:
    """How many budgets a call sets, and how many of them are 0, if that is known."""

    count: int
    zeros: int | None

    @property
    def has_zero(self) -> bool:
        return self.zeros != 0


def _budgets(facts: CallFacts) -> _Budgets | None:
    given = facts.given("storeLimits")
    if given is not None:
        limits = [number(each.get("limit")) for each in given if isinstance(each, Mapping)]
        return _Budgets(len(limits), limits.count(0))
    rows = facts.rows
    total = None if rows is None else rows.totals.get("limit")
    if rows is None or total is None:
        return None
    is_positive = total.smallest is not None and total.smallest > 0
    return _Budgets(rows.count, 0 if is_positive else None)
