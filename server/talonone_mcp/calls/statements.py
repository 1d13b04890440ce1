"""Puts together what a question says about a call, or about a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from talonone_mcp.calls.impact.call_facts import is_empty, same
from talonone_mcp.calls.imports import Content
from talonone_mcp.calls.judging import CallJudgement
from talonone_mcp.calls.plan import Plan
from talonone_mcp.calls.question import NOTHING, UNKNOWN, Change, Statement
from talonone_mcp.calls.updating import ADD, CLEAR, REMOVE
from talonone_mcp.core.catalog import Operation, Workflow
from talonone_mcp.core.catalog.application_keys import APPLICATION
from talonone_mcp.core.hiding import hide
from talonone_mcp.core.impact import Impact
from talonone_mcp.core.names import in_words
from talonone_mcp.core.text import quoted
from talonone_mcp.upstream.redaction import REDACTED

_LABELS = {
    "applicationId": "Application",
    "integrationId": "customer",
    "loyaltyProgramId": "loyalty program",
    "loyaltyCardId": "loyalty card",
    "customerSessionId": "session",
    "couponValue": "coupon",
}
_NAMES = ("name", "title", "displayName", "programTitle", "userName", "email", "value", "code")
_LENGTH = "length"
_OWN_LINES = ("steps", "mark", "leaves", "warnings")  # of what a plan shows; the rest are settings


def statement_of(
    judgement: CallJudgement, deployment: str, *, is_sandbox: bool, is_same: bool
) -> Statement:
    """Return what a person must know of a call before they confirm it.

    Args:
        judgement: of the call.
        deployment: where it would go.
        is_sandbox: whether that is the sandbox.
        is_same: whether what was read is the thing that the call changes, by the same fields.
    """
    operation, state = judgement.operation, hide(judgement.seen.state)
    now = dict(_now(operation, state))
    return Statement(
        tool=operation.name,
        title=operation.title,
        deployment=deployment,
        is_sandbox=is_sandbox,
        ids=tuple(_ids(operation, judgement.arguments)),
        name=_name(state),
        impacts=judgement.impacts,
        now=tuple((label, value) for label, (value, _) in now.items()),
        drifting=frozenset(label for label, (_, drifts) in now.items() if drifts),
        changes=tuple(_changes(judgement, is_same=is_same)),
        warnings=tuple(_notes(judgement)),
        undo=operation.undo,
    )


def statement_of_plan(
    workflow: Workflow,
    plan: Plan,
    impacts: tuple[Impact, ...],
    deployment: str,
    *,
    is_sandbox: bool,
) -> Statement:
    """Return what a person must know of a plan before they confirm it, as a whole."""
    shown = {name: value for name, value in plan.shown.items() if name not in _OWN_LINES}
    return Statement(
        tool=workflow.name,
        title=workflow.title,
        deployment=deployment,
        is_sandbox=is_sandbox,
        ids=(*plan.ids, ("plan", plan.shown.get("mark", ""))),
        impacts=impacts,
        changes=tuple(Change(name, UNKNOWN, value) for name, value in shown.items()),
        warnings=tuple(_plan_notes(plan)),
        undo=workflow.undo,
        steps=tuple(call.operation for call in plan.calls),
    )


def _plan_notes(plan: Plan) -> Iterator[str]:
    if leaves := plan.shown.get("leaves"):
        yield f"This does not {in_words(leaves, 'or')}."
    yield from plan.shown.get("warnings", ())


def _ids(operation: Operation, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if APPLICATION in operation.reserved:
        default = operation.reserved[APPLICATION].get("default")
        yield _label(APPLICATION), arguments.get(APPLICATION, default)
    for name in operation.path_arguments:
        yield _label(name), arguments.get(name)


def _label(argument: str) -> str:
    """Return what an id is of, in words: `catalogId` is a catalog's."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", argument.removesuffix("Id")).lower()
    return _LABELS.get(argument, words)


def _name(state: Any) -> str:
    """Return what a thing is called upstream, or ""."""
    if not isinstance(state, Mapping):
        return ""
    found = (state.get(name) for name in _NAMES)
    return next((each for each in found if isinstance(each, str) and each), "")


def _now(operation: Operation, state: Any) -> Iterator[tuple[str, tuple[Any, bool]]]:
    """Yield how things stand: for each label a value, and whether it may change by itself."""
    before = operation.before
    if before is None or state is None:
        return
    for label, path in before.now.items():
        value = _at(state, path.removesuffix("~").split("."))
        if not is_empty(value):
            yield label, (value, path.endswith("~"))


def _at(value: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step == _LENGTH:
            value = len(value)
        else:
            return None
    return value


def _notes(judgement: CallJudgement) -> Iterator[str]:
    if judgement.seen.problem:
        yield f"The current state could not be read: {judgement.seen.problem}"
    if already := judgement.seen.already:
        what = "1 row is" if len(already) == 1 else f"{len(already):,} rows are"
        yield f"{what} there already, such as {quoted(already[0])}."
    content = judgement.arguments.get("csv")
    if isinstance(content, Content):
        yield from content.rows.unusual


def _changes(judgement: CallJudgement, *, is_same: bool) -> Iterator[Change]:
    """Yield what the call changes: every argument that the place does not show already."""
    operation, update = judgement.operation, judgement.update
    old = _OldValues.of(judgement, is_same=is_same)
    for name in update.fields:
        yield from _change(old, name, update.fields[name])
    for path in update.cleared:
        name, _, key = path.partition(".")
        if not key:
            yield Change(path, old.value(name), NOTHING)
    twins = {CLEAR, ADD, REMOVE} if operation.replaces else set[str]()
    shown = {*operation.path_arguments, *update.fields, *twins}
    if APPLICATION in operation.reserved:
        shown.add(APPLICATION)  # whose key is used: among the ids
    for name, value in judgement.arguments.items():
        if name in operation.secrets:
            yield Change(name, UNKNOWN, REDACTED)
        elif name not in shown:
            yield from _change(old, name, value)


@dataclass(frozen=True, slots=True)
class _OldValues:
    """The values that a call replaces; `is_whole` if a field that is not among them has none."""

    values: Mapping[str, Any]
    is_whole: bool

    @classmethod
    def of(cls, judgement: CallJudgement, *, is_same: bool) -> _OldValues:
        """Return those that were read."""
        if judgement.update.old is not None:
            return cls(hide(dict(judgement.update.old)), is_whole=True)
        state = judgement.seen.state
        values = hide(state) if is_same and isinstance(state, Mapping) else {}
        return cls(values, is_whole=False)

    def value(self, name: str) -> Any:
        """Return a field's old value."""
        if name not in self.values:
            return NOTHING if self.is_whole else UNKNOWN
        return NOTHING if is_empty(self.values[name]) else self.values[name]


def _change(old: _OldValues, name: str, value: Any) -> Iterator[Change]:
    if isinstance(value, Content):
        yield from _of_import(name, value)
        return
    before = old.value(name)
    if before not in (UNKNOWN, NOTHING) and same(before, value):
        return
    new = NOTHING if is_empty(value) and before is not NOTHING else hide({name: value})[name]
    yield Change(name, before, new)


def _of_import(name: str, content: Content) -> Iterator[Change]:
    rows = content.rows
    yield Change("rows", UNKNOWN, rows.count)
    for column, total in rows.totals.items():
        told = {"total": total.sum, "smallest": total.smallest, "largest": total.largest}
        yield Change(f"{name}.{column}", UNKNOWN, told)
    for column, groups in rows.groups.items():
        yield Change(f"{name}.{column}", UNKNOWN, dict(groups))
    yield Change(name, UNKNOWN, content.begins)
    yield Change(f"{name}.characters", UNKNOWN, content.characters)  # `begins` may be a part
    yield Change(f"{name}.sha256", UNKNOWN, content.sha256)
