"""What budgets of stores allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.calls.impact.call_facts import CallFacts, Measured, number


def store_budgets(facts: CallFacts) -> Iterator[Measured]:
    """Tell that budgets of stores change; how they fall is not shown for each store."""
    limits = _limits(facts)
    if limits is None:
        yield Measured(None, "of the budgets in the file")
    elif 0 in limits:
        yield Measured(100, f"of {len(limits):,} store budgets, of which some are 0")
    else:
        yield Measured(None, f"of {len(limits):,} store budgets")


def empty_store_budgets(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many stores can give nothing more."""
    if count := (_limits(facts) or []).count(0):
        yield Measured(count, "can give nothing: their budget is 0")


def _limits(facts: CallFacts) -> list[Any] | None:
    given = facts.given("storeLimits")
    if given is None:
        return None
    return [number(each.get("limit")) for each in given if isinstance(each, Mapping)]
