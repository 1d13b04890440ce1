"""Describes a plan: several calls that a person confirms together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call of a plan.

    Attributes:
        open: the arguments that come from the result of an earlier call.
        before: what an earlier call will have made of the thing that this one changes.
    """

    operation: str
    arguments: Mapping[str, Any]
    open: frozenset[str] = frozenset()
    before: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call is this one, whatever its open arguments are."""
        fixed = {name: value for name, value in arguments.items() if name not in self.open}
        return operation == self.operation and fixed == self.arguments


@dataclass(frozen=True, slots=True)
class Plan:
    """What a workflow is about to do: what the question shows, and its calls in order.

    Attributes:
        shown: what the question shows, by name.
        ids: where it does it: labels and ids.
    """

    shown: Mapping[str, Any]
    calls: tuple[PlannedCall, ...]
    ids: tuple[tuple[str, Any], ...] = ()

    def covers(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call is part of the plan."""
        return any(call.matches(operation, arguments) for call in self.calls)
