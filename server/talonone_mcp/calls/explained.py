"""What the gate says of a call that is not made: its impact, and whether a person is asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from talonone_mcp.core.impact import Impact


@dataclass(frozen=True, slots=True)
class Explained:
    """What the gate would do about a call.

    Attributes:
        operation: the operation or workflow.
        impacts: what the call would do.
        asked: whether a person must say yes first.
        because: why, naming the line of the policy that decides.
        question: what the person would read; "" if nobody is asked.
    """

    operation: str
    impacts: tuple[Impact, ...]
    asked: bool
    because: str
    question: str

    def to_json(self) -> dict[str, Any]:
        """Return its JSON form. A `measure` of null is one that nobody can know."""
        return {
            "operation": self.operation,
            "impact": [asdict(impact) for impact in self.impacts],
            "asked": self.asked,
            "because": self.because,
            "question": self.question,
        }
