"""The calls of a workflow: one after another or side by side, and what could not be had of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio

from talonone_mcp.calls.executor import Executor
from talonone_mcp.calls.gate import Agreement, Caller, Planned
from talonone_mcp.calls.recorder import Record
from talonone_mcp.core.catalog import Workflow
from talonone_mcp.core.errors import CallError, Kind

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a workflow is about to do: as the question shows it, and the calls, in order."""

    shown: Mapping[str, Any]
    calls: tuple[Planned, ...]


class _NoPlanError(Exception):
    """There is no plan to ask about: unlike a preview that fails, it cannot be left out."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error.message)
        self.error = error


def utc_now() -> datetime:
    """Return the time that it is."""
    return datetime.now(UTC)


class Steps:
    """The calls that one run of a workflow makes."""

    def __init__(
        self,
        workflow: Workflow,
        arguments: Mapping[str, Any],
        executor: Executor,
        caller: Caller,
        record: Record,
    ) -> None:
        """Take what is called, with what, by whom, and what is recorded of it."""
        self._workflow = workflow
        self._arguments = arguments
        self._executor = executor
        self._caller = replace(caller, via=workflow.name)
        self._record = record
        self.missing: list[dict[str, str]] = []

    @property
    def now(self) -> datetime:
        """The time by which a workflow judges what has begun and what is over."""
        return utc_now()

    def offers(self, name: str) -> bool:
        """Tell whether the API that an operation belongs to is configured."""
        return self._executor.offers(name)

    def check(self, planned: Planned, **opened: Any) -> None:
        """Refuse what a plan holds, as its call would be, before anybody is asked about it.

        Args:
            planned: the call.
            opened: of its open arguments those that it needs, with any value that would do.

        Raises:
            CallError: `invalid_arguments`.
        """
        self._executor.check(planned.operation, {**planned.arguments, **opened})

    @property
    def applications(self) -> tuple[int, ...]:
        """The Applications whose key of the Integration API a call has to, or may, choose."""
        return self._executor.applications

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Call an operation and return the whole of its answer, without what is empty in it.

        An argument that is None is not given.

        Raises:
            CallError: the call did not succeed.
        """
        given = {key: value for key, value in arguments.items() if value is not None}
        return await self._executor.whole(name, given, self._caller)

    async def attempt(
        self, what: str, name: str, /, *, unless: Collection[Kind] = (), **arguments: Any
    ) -> dict[str, Any] | None:
        """Call an operation that the answer can do without; None, and said, when it fails.

        Args:
            what: what is then missing, as a reader of the answer would call it.
            name: the operation.
            unless: kinds of errors that the answer cannot do with.
            arguments: as `call` takes them.

        Raises:
            CallError: the call failed in one of these ways.
        """
        try:
            return await self.call(name, **arguments)
        except CallError as error:
            if error.kind in unless:
                raise
            self.lacks(what, error)
            return None

    def lacks(self, what: str, error: CallError) -> None:
        """Say in the answer what could not be had, and why."""
        self.missing.append({"what": what, "kind": error.kind, "problem": error.message})

    @asynccontextmanager
    async def agreed(self, make: Callable[[], Awaitable[Plan]]) -> AsyncIterator[Plan]:
        """Have a person agree to a plan; until the end, the calls that it holds need no other yes.

        Args:
            make: works out the plan, of which the question shows `{preview.…}`. It is asked again
                when the yes came late: what is agreed to, and yielded, is its last word.

        Raises:
            CallError: nobody agreed, or there is no plan to agree to; then nobody was asked.
        """
        latest: Plan | None = None

        async def preview(*_: object) -> Mapping[str, Any]:
            nonlocal latest
            try:
                latest = await make()
            except CallError as error:
                raise _NoPlanError(error) from error
            return latest.shown

        try:
            async with self._executor.agreed(
                self._workflow, self._arguments, self._caller, self._record, preview
            ) as passage:
                plan = latest or await make()  # nobody was asked where the operator wants that
                before = self._caller
                if passage is not None:
                    self._caller = replace(before, agreement=Agreement(passage, plan.calls))
                try:
                    yield plan
                finally:
                    self._caller = before
        except _NoPlanError as none:
            raise none.error from none


async def together(*calls: Callable[[], Awaitable[_T]]) -> list[_T]:
    """Make calls side by side and return their results, in order.

    Raises:
        CallError: of the first call that failed; the others are given up.
    """
    results: dict[int, _T] = {}

    async def one(number: int, call: Callable[[], Awaitable[_T]]) -> None:
        results[number] = await call()

    try:
        async with anyio.create_task_group() as tasks:
            for number, call in enumerate(calls):
                tasks.start_soon(one, number, call)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return [results[number] for number in range(len(calls))]
