"""The calls of a workflow: one after another or side by side, and what could not be had of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio

from talonone_mcp.calls.caller import Caller
from talonone_mcp.calls.executor import Executor
from talonone_mcp.calls.gate import AgreedPlan
from talonone_mcp.calls.plan import Plan, PlannedCall
from talonone_mcp.calls.recorder import AuditEntry
from talonone_mcp.core.catalog import Workflow
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.errors import CallError, Kind

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Steps:
    """The calls that one run of a workflow makes.

    Attributes:
        workflow: what was called.
        arguments: of that call.
        executor: runs the steps.
        caller: who called the workflow.
        entry: the audit entry of that call.
        clock: the time.
        agreed_plan: the plan that the steps belong to, once a person has agreed to it.
        missing: what the answer lacks, and why.
    """

    workflow: Workflow
    arguments: Mapping[str, Any]
    executor: Executor
    caller: Caller
    entry: AuditEntry
    clock: Clock
    agreed_plan: AgreedPlan | None = None
    missing: list[dict[str, str]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The time by which a workflow judges what has begun and what is over."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    @property
    def applications(self) -> tuple[int, ...]:
        """The Applications whose Integration API key a call has to, or may, choose."""
        return self.executor.applications

    def offers(self, name: str) -> bool:
        """Tell whether the API that an operation belongs to is configured."""
        return self.executor.offers(self.executor.operation(name))

    def check(self, planned: PlannedCall, **opened: Any) -> None:
        """Refuse what a plan holds, as its call would be, before anybody is asked about it.

        Args:
            planned: the call.
            opened: of its open arguments those that it needs, with any value that would do.

        Raises:
            CallError: `invalid_arguments`.
        """
        operation = self.executor.operation(planned.operation)
        self.executor.check(operation, {**planned.arguments, **opened})

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Call an operation and return all of its answer, except what is empty in it.

        An argument that is None is not given.

        Raises:
            CallError: the call did not succeed.
        """
        given = {key: value for key, value in arguments.items() if value is not None}
        caller = replace(self.caller, via=self.workflow.name)
        operation = self.executor.operation(name)
        return await self.executor.call_in_full(operation, given, caller, self.agreed_plan)

    async def attempt(
        self, what: str, name: str, /, *, unless: Collection[Kind] = (), **arguments: Any
    ) -> dict[str, Any] | None:
        """Call an operation that the answer can do without. If it fails, note that and return None.

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
        """Note for the answer what could not be had, and why."""
        self.missing.append({"what": what, "kind": error.kind, "problem": error.message})

    @asynccontextmanager
    async def agreed(
        self, make: Callable[[], Awaitable[Plan]]
    ) -> AsyncIterator[tuple[Plan, Steps]]:
        """Have a person agree to a plan, and yield it with the steps that need no other yes.

        Args:
            make: works out the plan, of which the question shows `{preview.…}`; again when the yes
                came late. Its last word is what was agreed to.

        Raises:
            CallError: nobody agreed, or there is nothing to agree to and nobody was asked.
            QuestionOpenError: a person has to agree first.
        """
        async with self.executor.agreed(
            self.workflow, self.arguments, self.caller, self.entry, make
        ) as agreed:
            yield agreed.plan, replace(self, agreed_plan=agreed)


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
