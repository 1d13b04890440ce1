"""What may go without asking: the policy, and the sums of what calls give and take."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.impact import Impact
from talonone_mcp.core.policy import NOTHING_SPENT, Amounts, Key, Policy, Ruling, amounts_of
from talonone_mcp.store.sums import Sums, SumsError

_T = TypeVar("_T")
_UNSURE = ("outcome_unknown", "upstream", "timeout", "unreachable")


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call does, as it counts in the sums of a deployment and a principal."""

    deployment: str
    principal: str
    impacts: tuple[Impact, ...]

    @property
    def amounts(self) -> Amounts:
        """How much of each kind and unit."""
        return amounts_of(self.impacts)


class SpendingLimits:
    """The policy of one server, and its sums."""

    def __init__(self, policy: Policy, sums: Sums) -> None:
        """Take what decides.

        Args:
            policy: which calls a person must confirm.
            sums: where it is counted what calls give and take.
        """
        self._policy = policy
        self._sums = sums

    @property
    def policy(self) -> Policy:
        """Which calls a person must confirm."""
        return self._policy

    async def left(self, account: str, principal: str) -> dict[Key, float]:
        """Return how much may still go without asking within the window, where that is limited.

        Raises:
            CallError: `blocked`, if the sums cannot be read.
        """
        window_s = self._policy.window_s
        spent = await self._in_store(self._sums.spent, account, principal, window_s)
        found = {
            key: self._policy.left(key, spent.own.get(key, 0.0), spent.all.get(key, 0.0))
            for key in self._policy.limited
        }
        return {key: left for key, left in found.items() if left is not None}

    async def ruling(self, charge: Charge) -> Ruling:
        """Return whether a person must confirm a call, and why.

        Raises:
            CallError: `blocked`, if the sums cannot be read.
        """
        spent = NOTHING_SPENT
        if charge.amounts:
            spent = await self._in_store(
                self._sums.spent, charge.deployment, charge.principal, self._policy.window_s
            )
        return self._policy.judge(charge.impacts, spent)

    async def count_unasked(self, charge: Charge) -> str | None:
        """Count a call that nobody must be asked about; return its entry in the sums.

        The entry is "" if there is nothing to count. It is None if a person must be asked: the
        policy says so, or the call would exceed a sum, also one that others use at this moment.

        Raises:
            CallError: `blocked`, if the sums cannot be written.
        """
        if (await self.ruling(charge)).asked:
            return None
        amounts = charge.amounts
        if not amounts:
            return ""
        bounds = self._policy.bounds(amounts)
        entry: str | None = await self._in_store(
            self._sums.count,
            charge.deployment,
            charge.principal,
            amounts,
            bounds,
            self._policy.window_s,
        )
        return entry

    async def count_asked(self, charge: Charge) -> str:
        """Count a call that a person confirmed; return its entry in the sums, or "".

        Raises:
            CallError: `blocked`, if the sums cannot be written.
        """
        if not charge.amounts:
            return ""
        entry: str = await self._in_store(
            self._sums.count_asked, charge.deployment, charge.principal, charge.amounts
        )
        return entry

    async def give_back(self, entry: str) -> None:
        """Take a call out of the sums that upstream refused. A failure keeps it counted."""
        if not entry:
            return
        try:
            await anyio.to_thread.run_sync(self._sums.give_back, entry)
        except SumsError:
            logging.getLogger(__name__).exception("sums entry %s stays counted", entry)

    async def _in_store(self, work: Callable[..., _T], *values: Any) -> _T:
        """Use the sums in a thread, since files may block.

        Raises:
            CallError: `blocked`, if they fail.
        """
        try:
            return await anyio.to_thread.run_sync(partial(work, *values))
        except SumsError as error:
            raise CallError(
                "blocked",
                f"What this call gives or takes cannot be counted: {error}. Nothing was sent.",
                hint="Whoever runs the server must repair that file, or set TALONONE_STATE_DIR.",
            ) from error


def was_refused(error: CallError) -> bool:
    """Tell whether a call that ended in this error did nothing for certain."""
    return error.kind not in _UNSURE
