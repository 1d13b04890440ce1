"""Sums: how much calls gave, took or opened within a window, and how much of it unasked.

A policy bounds what may go without asking, so that a large gift in small slices is asked about like
one that is made at once. To share sums between replicas, implement `Sums`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from talonone_mcp.core.impact import Kind
from talonone_mcp.core.policy.amounts import Amounts, Bound, Key, Spent

__all__ = ["Amounts", "Bound", "Key", "PrincipalSum", "Spent", "Sums", "SumsError"]


class SumsError(Exception):
    """The sums are unusable; the message says why. Calls that need them must not be sent."""


@dataclass(frozen=True, slots=True)
class PrincipalSum:
    """What one principal's calls did within a window, in one kind and unit.

    Attributes:
        principal: on whose behalf.
        kind: the kind of impact.
        unit: what is counted.
        unasked: how much without asking a person.
        asked: how much with a person's yes.
    """

    principal: str
    kind: Kind
    unit: str
    unasked: float
    asked: float


class Sums(Protocol):
    """Keeps sums by deployment and principal. Methods are atomic across processes and crashes.

    `window_s` is how far back a sum reaches, in seconds; at most `MAX_WINDOW_S`. Each method may
    raise `SumsError`; whether anything changed is then unknown.
    """

    def count(
        self,
        deployment: str,
        principal: str,
        amounts: Amounts,
        bounds: Mapping[Key, Bound],
        window_s: float,
    ) -> str | None:
        """Count a call that nobody is asked about, unless a sum would exceed its bound.

        Args:
            deployment: where the call goes.
            principal: on whose behalf.
            amounts: how much the call does; finite and not negative.
            bounds: what may go without asking; a kind and unit that is not in it has no limit.
            window_s: see above.

        Returns:
            An id for `give_back`; None if a sum would exceed its bound, and nothing was counted.
        """

    def count_asked(self, deployment: str, principal: str, amounts: Amounts) -> str:
        """Record a call that a person said yes to, which no bound applies to; return its id."""

    def give_back(self, entry: str) -> None:
        """Take back what was counted for a call, which upstream refused."""

    def spent(self, deployment: str, principal: str, window_s: float) -> Spent:
        """Return what went without asking: of this principal, and of all together."""

    def by_principal(self, deployment: str, window_s: float) -> list[PrincipalSum]:
        """Return every sum of a deployment, by principal, kind and unit."""
