"""What one call does to customers, data and rights, by the rules that its operation declares."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from talonone_mcp.calls.impact import (
    achievements,
    campaigns,
    catalogs,
    codes,
    customers,
    fields,
    imports,
    orders,
    people,
    stores,
)
from talonone_mcp.calls.impact.call_facts import CallFacts, Measured, count_of, values_at
from talonone_mcp.core.catalog import ImpactRule
from talonone_mcp.core.catalog.json_schema import satisfies
from talonone_mcp.core.impact import Impact, Kind
from talonone_mcp.core.text import quoted
from talonone_mcp.upstream.redaction import REDACTED

Measure = Callable[[CallFacts], Iterator[Measured]]
"""Tells what a call does of one kind. It may raise `BeforeNeededError`."""

_REHEARSING = ("dry", "dryRun")
_OPPOSITE: Mapping[Kind, Kind] = {"gives": "takes", "takes": "gives"}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MODULES = (achievements, campaigns, catalogs, codes, customers, fields, imports, orders, people,
            stores)  # fmt: skip
MEASURES: Mapping[str, Measure] = {
    name: function
    for module in _MODULES
    for name, function in vars(module).items()
    if not name.startswith("_") and getattr(function, "__module__", "") == module.__name__
}
"""The functions that the catalog names, by their names."""


def is_rehearsal(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a call only shows what it would do."""
    return any(arguments.get(name) is True for name in _REHEARSING)


def impacts_of(facts: CallFacts) -> tuple[Impact, ...]:
    """Return what a call does, as far as anybody must know of it.

    Raises:
        BeforeNeededError: what is there must be read first.
        RehearsalNeededError: the call must be made as a dry run first.
    """
    if is_rehearsal(facts.arguments):
        return ()
    found = (each for rule in facts.operation.impact for each in _of_rule(rule, facts))
    return tuple(_signed(each) for each in found if each.measure != 0)


def _of_rule(rule: ImpactRule, facts: CallFacts) -> Iterator[Impact]:
    if rule.when is not None and not satisfies(rule.when, facts.arguments):
        return
    what = _filled(rule.what, facts)
    if not rule.measured:
        yield Impact(rule.kind, _amount(rule, facts), rule.unit, what)
        return
    for each in _measured(rule, facts):
        words = "; ".join(filter(None, (what, each.what)))
        yield Impact(rule.kind, each.amount, each.unit or rule.unit, words)


def _measured(rule: ImpactRule, facts: CallFacts) -> list[Measured]:
    """Return what a rule's function measures; what upstream shows in an odd form is unknown."""
    try:
        return [*MEASURES[rule.measured](facts)]
    except (AttributeError, KeyError, TypeError, ValueError):
        logging.getLogger(__name__).exception("%s cannot be measured", rule.measured)
        return [Measured(None, "that cannot be measured")]


def _amount(rule: ImpactRule, facts: CallFacts) -> float | None:
    """Return the measure that a rule names: a number, or what an argument counts."""
    if not isinstance(rule.amount, str):
        return rule.amount
    name, _, rest = rule.amount.partition(".")
    value = facts.given(name)
    return count_of([*values_at(value, rest)] if rest else value)


def _signed(impact: Impact) -> Impact:
    """Return an impact with a positive measure: a negative gift takes."""
    if impact.measure is None or impact.measure >= 0:
        return impact
    kind = _OPPOSITE.get(impact.kind, impact.kind)
    return Impact(kind, -impact.measure, impact.unit, impact.what)


def _filled(what: str, facts: CallFacts) -> str:
    known = {**facts.arguments, **dict.fromkeys(facts.operation.secrets, REDACTED)}
    return _PLACEHOLDER.sub(lambda match: _shown(known.get(match[1])), what)


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) and value is not REDACTED else str(value)
