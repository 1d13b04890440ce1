"""Runs the probes through the HTTP client, concurrently, and each read only once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from statistics import median
from typing import Any, Literal

import anyio
import httpx

from talonone_mcp.calls.request import build
from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.catalog.application_keys import APPLICATION
from talonone_mcp.core.catalog.model import Api
from talonone_mcp.core.errors import CallError
from talonone_mcp.terminal.doctor import probes
from talonone_mcp.upstream.connection import Upstream

_TIMED_REQUESTS = 3  # as many as one endpoint allows in a second
_HALF_S = 0.5  # HTTP dates are whole seconds
_NOT_IMPLEMENTED = 501

Outcome = Literal["allowed", "refused", "unauthorized", "absent", "failed", "untried"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome of one read.

    `untried` means that an argument is unknown, and `why` says why; `absent` means that there is no
    such endpoint.
    """

    operation: Operation
    outcome: Outcome
    values: Mapping[str, Any] = field(default_factory=dict)
    answer: Any = None
    error: CallError | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """The outcome of reaching an API; `seconds` is the median response time."""

    api: Api
    application: int | None
    attempt: Attempt
    seconds: float | None = None


@dataclass(slots=True)
class Clocks:
    """Collects the dates of answers; `ahead` says by host how many seconds this clock is ahead."""

    ahead: dict[str, float] = field(default_factory=dict)

    async def hear(self, response: httpx.Response) -> None:
        """Compare an answer's date with this clock."""
        try:
            date = parsedate_to_datetime(response.headers.get("date", ""))
        except ValueError:
            return
        there = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() + _HALF_S
        self.ahead[response.url.host] = datetime.now(UTC).timestamp() - there


class Explorer:
    """Makes reads, and the reads that find their arguments; none twice."""

    def __init__(self, client: Upstream, catalog: Catalog) -> None:
        """Take the HTTP client and the catalog."""
        self._client = client
        self._catalog = catalog
        self._attempts: dict[tuple[str, int | None], Attempt] = {}
        self._turns: dict[tuple[str, int | None], anyio.Lock] = {}

    async def reach(self, api: Api, application: int | None, *, again: bool) -> Reached | None:
        """Make the first read of an API and time it; return None if it has no reads.

        Args:
            api: one that has credentials.
            application: whose key of the Integration API is used, where there are several.
            again: whether to try another read if the key is refused for the first.
        """
        reads = probes.first_of(self._catalog, api)
        attempt = None
        for read in reads if again else reads[:1]:
            began = time.perf_counter()
            attempt = await self.attempt(read, application)
            took = time.perf_counter() - began
            if attempt.outcome != "unauthorized":
                break
        if attempt is None:
            return None
        if attempt.outcome != "allowed":
            return Reached(api, application, attempt)
        times = [took, *[await self._time(attempt) for _ in range(_TIMED_REQUESTS - 1)]]
        return Reached(api, application, attempt, median(times))

    async def toolset(self, reads: Iterable[Operation]) -> tuple[Attempt, ...]:
        """Try reads one by one until one is allowed or fails."""
        made: list[Attempt] = []
        for read in reads:
            made.append(await self.attempt(read))
            if made[-1].outcome in ("allowed", "failed"):
                break
        return tuple(made)

    async def attempt(self, operation: Operation, application: int | None = None) -> Attempt:
        """Make one read, after those that list its arguments, and say what came of it."""
        key = operation.name, application
        async with self._turns.setdefault(key, anyio.Lock()):
            if key not in self._attempts:
                self._attempts[key] = await self._made(operation, application)
            return self._attempts[key]

    async def _made(self, operation: Operation, application: int | None) -> Attempt:
        known: dict[str, Any] = {} if application is None else {APPLICATION: application}
        for argument, lister in probes.listers(operation).items():
            if argument not in known:
                known[argument], why = await self._look_up(argument, lister)
                if why and operation.api == "management":
                    return Attempt(operation, "untried", why=why)
                if why:  # a key can be checked with an object that does not exist
                    known[argument] = probes.NO_ID
        values = probes.arguments(operation, known)
        if values is None:
            return Attempt(operation, "untried", why="a read needs what no list tells")
        return await self._send(operation, values)

    async def _look_up(self, argument: str, lister: str) -> tuple[Any, str]:
        """Return a value for an argument, or the reason why there is none."""
        operation = self._catalog.operations[lister]
        try:
            self._client.check(operation)
        except CallError as error:
            return None, error.message
        listed = await self.attempt(operation)
        if listed.outcome != "allowed":
            return None, listed.why or f"{lister} cannot be used"
        value = probes.value_in(listed.answer, argument)
        return value, "" if value is not None else f"{lister} has nothing to look into"

    async def _send(self, operation: Operation, values: Mapping[str, Any]) -> Attempt:
        try:
            answer = await self._client.send(operation, build(operation, values))
        except CallError as error:
            return Attempt(operation, _outcome(operation, values, error), values, error=error)
        return Attempt(operation, "allowed", values, answer.body)

    async def _time(self, attempt: Attempt) -> float:
        began = time.perf_counter()
        await self._send(attempt.operation, attempt.values)
        return time.perf_counter() - began


def _outcome(operation: Operation, values: Mapping[str, Any], error: CallError) -> Outcome:
    """Return what an error says about the key, which upstream checks before anything else."""
    if error.kind == "unauthorized":
        return "unauthorized"
    if error.kind == "forbidden":
        return "refused"
    if error.status == _NOT_IMPLEMENTED:
        return "absent"
    if error.kind == "not_found":
        asked_for = values.keys() - {probes.PAGE, *operation.reserved}
        return "allowed" if asked_for else "absent"
    if error.kind in ("invalid_arguments", "conflict") and error.status:
        return "allowed"
    return "failed"
