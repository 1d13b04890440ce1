"""Describes a plan: several calls that a person confirms together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call of a plan. Its `open` arguments come from the result of an earlier call."""

    operation: str
    arguments: Mapping[str, Any]
    open: frozenset[str] = frozenset()

    def matches(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call is this one, whatever its open arguments are."""
        fixed = {name: value for name, value in arguments.items() if name not in self.open}
        return operation == self.operation and fixed == self.arguments


@dataclass(frozen=True, slots=True)
class Plan:
    """What a workflow is about to do: what the question shows, and its calls in order."""

    shown: Mapping[str, Any]
    calls: tuple[PlannedCall, ...]

    def covers(self, operation: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether a call is part of the plan."""
        return any(call.matches(operation, arguments) for call in self.calls)
