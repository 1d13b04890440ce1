"""Judges one call: reads what it must of what is there, and tells what the call would do."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from talonone_mcp.calls.foreseen_refusals import refuse_what_upstream_would
from talonone_mcp.calls.impact import impacts_of, is_rehearsal
from talonone_mcp.calls.impact.call_facts import CallFacts, values_at
from talonone_mcp.calls.imports import Content
from talonone_mcp.calls.shown import BeforeNeededError, RehearsalNeededError, Shown
from talonone_mcp.calls.updating import REPLACE, Update, update_of
from talonone_mcp.calls.upstream_lists import listed
from talonone_mcp.core.catalog import Before, Catalog, Operation
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.impact import Impact
from talonone_mcp.core.text import one_line, quoted

Send = Callable[[Operation, Mapping[str, Any]], Awaitable[Any]]
"""Sends one call and returns upstream's JSON. May raise `CallError`."""

_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")
_MAX_LISTED = 50  # values that a read is asked for at once
_MAX_REASON_CHARS = 200
_MAY_NOT_READ = ("unauthorized", "forbidden", "not_configured")


@dataclass(frozen=True, slots=True)
class CallJudgement:
    """What a call would do.

    Attributes:
        arguments: of the call; an import's `csv` is its `Content`.
        update: what it changes, and all that would be sent.
        seen: what was read of what is there.
    """

    operation: Operation
    arguments: Mapping[str, Any]
    update: Update
    seen: Shown
    impacts: tuple[Impact, ...] = ()


class Judge:
    """Judges calls of one server."""

    def __init__(self, catalog: Catalog, send: Send, clock: Clock) -> None:
        """Take what judging needs.

        Args:
            catalog: every operation.
            send: reads what is there, and makes dry runs.
            clock: tells the past from the future.
        """
        self._catalog = catalog
        self._send = send
        self._clock = clock

    async def judge(self, operation: Operation, arguments: Mapping[str, Any]) -> CallJudgement:
        """Return what a call would do. What is there is read only if that depends on it.

        Raises:
            CallError: what the call changes is not there, or cannot be read although it must be;
                the call does not go with what is there; or its dry run was refused.
        """
        seen = Shown()
        while True:
            try:
                return self.judged(operation, arguments, seen)
            except BeforeNeededError:
                seen = await self._with_before(operation, arguments, seen)
            except RehearsalNeededError:
                seen = seen.with_rehearsal(await self._rehearsed(operation, arguments))

    def judged(
        self, operation: Operation, arguments: Mapping[str, Any], seen: Shown
    ) -> CallJudgement:
        """Return what a call would do, by what was read.

        Raises:
            BeforeNeededError: what is there must be read first.
            RehearsalNeededError: the call must be made as a dry run first.
            CallError: the call does not go with what is there, or upstream would refuse it.
        """
        update = update_of(operation, arguments, seen)
        refuse_what_upstream_would(operation, arguments, seen.state)
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        facts = CallFacts(operation, arguments, update, seen, now)
        return CallJudgement(operation, arguments, update, seen, impacts_of(facts))

    async def completed(self, operation: Operation, arguments: Mapping[str, Any]) -> CallJudgement:
        """Return what a call sends, without judging what it does."""
        seen = Shown()
        try:
            update = update_of(operation, arguments, seen)
        except BeforeNeededError:
            seen = await self._with_before(operation, arguments, seen)
            update = update_of(operation, arguments, seen)
        return CallJudgement(operation, arguments, update, seen)

    async def with_state(self, judgement: CallJudgement) -> CallJudgement:
        """Return a judgement with what is there, for the question about it.

        Raises:
            CallError: it is not there, or upstream would refuse the call because of it.
        """
        operation, seen = judgement.operation, judgement.seen
        if not seen.is_read and operation.before is not None:
            seen = await self._with_before(operation, judgement.arguments, seen)
            seen = replace(seen, already=await self._already(operation, judgement.arguments))
            refuse_what_upstream_would(operation, judgement.arguments, seen.state)
        return replace(judgement, seen=seen)

    async def _with_before(
        self, operation: Operation, arguments: Mapping[str, Any], seen: Shown
    ) -> Shown:
        """Read what is there. If it may stay unknown, note why it cannot be read."""
        if operation.before is None:
            return seen.with_before(None)
        must_be_known = operation.replaces is not None and REPLACE not in arguments
        try:
            return seen.with_before(await self._read(operation, operation.before, arguments))
        except CallError as error:
            if error.kind == "not_found":
                if operation.before.optional:
                    return seen.with_before({})
                raise
            if not must_be_known:
                return seen.with_before(None, one_line(error.message, _MAX_REASON_CHARS))
            raise _unreadable(operation, error) from error

    async def _already(self, operation: Operation, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """Return which of an import's identifiers are there already; none if nobody can tell."""
        columns = operation.body.columns if operation.body else None
        content = arguments.get("csv")
        if columns is None or columns.known_by is None or not isinstance(content, Content):
            return ()
        read = self._catalog.operations[columns.known_by.read]
        known = {name: arguments[name] for name in read.path_arguments}
        try:
            found = await self._send(read, known)
        except CallError:  # the question can do without
            return ()
        there = {str(each.get(columns.known_by.field)) for each in listed(found)}
        return tuple(each for each in content.rows.keys if each in there)

    async def _read(
        self, operation: Operation, before: Before, arguments: Mapping[str, Any]
    ) -> Any:
        read = self._catalog.operations[before.read]
        named = {*read.path_arguments, *read.reserved}
        known = {name: value for name, value in arguments.items() if name in named}
        document = await self._send(read, known | filled(before.given, arguments))
        if not before.pick:
            return document
        wanted = str(arguments.get(before.pick))
        for item in listed(document):
            if str(item.get("id")) == wanted:
                return item
        raise _not_listed(operation, before, arguments)

    async def _rehearsed(self, operation: Operation, arguments: Mapping[str, Any]) -> Any:
        """Make the call as a dry run, and return upstream's answer."""
        dry = {**arguments, "dry": True}
        dry.pop("responseContent", None)
        if "silent" in operation.input_schema["properties"]:
            dry["silent"] = "no"  # a silent answer has no effects
        return await self._send(operation, dry)


def filled(given: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a read's arguments; "{name}" becomes that argument, or is dropped without it.

    A path through a list becomes a list, unless some item lacks it or there are too many.
    """
    found: dict[str, Any] = {}
    for key, value in given.items():
        placeholder = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if placeholder is None:
            found[key] = value
            continue
        name, _, rest = placeholder[1].partition(".")
        if not rest:
            if arguments.get(name) is not None:
                found[key] = arguments[name]
            continue
        values = [*values_at(arguments.get(name), rest)]
        is_each = len(values) == len(arguments.get(name) or ())
        if is_each and 0 < len(values) <= _MAX_LISTED:
            found[key] = list(dict.fromkeys(map(str, values)))
    return found


def is_judged(operation: Operation, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a call may do anything that somebody must know of."""
    return bool(operation.impact) and not is_rehearsal(arguments)


def _unreadable(operation: Operation, error: CallError) -> CallError:
    """Return the error for an update whose thing cannot be read."""
    if error.kind not in _MAY_NOT_READ:
        return error
    return CallError(
        error.kind,
        f"{operation.name} was not called: what is there cannot be read, and would be lost where"
        f" the call does not name it. {error.message}",
        status=error.status,
        details=error.details,
        hint="Give every field and replace: true, which a person confirms, or use a key that may"
        " read it.",
    )


def _not_listed(operation: Operation, before: Before, arguments: Mapping[str, Any]) -> CallError:
    finder = next(
        (
            match[1]
            for value in before.given.values()
            if isinstance(value, str) and (match := _PLACEHOLDER.fullmatch(value))
        ),
        "",
    )
    wanted = f"{before.pick} {quoted(arguments.get(before.pick))}"
    if finder and finder not in arguments:
        return CallError(
            "not_found",
            f"{operation.name} was not called: {before.read} does not show {wanted} among the"
            " first 1,000.",
            hint=f"Give {finder} too, the code itself, so that it is found; or give every field"
            " and replace: true, which a person confirms.",
        )
    return CallError(
        "not_found",
        f"{operation.name} was not called: {before.read} does not show {wanted}.",
        hint="Check the id, and call again.",
    )
