"""Puts together what a question says about a call, or about a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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


def statement_of(judgement: CallJudgement, deployment: str, *, is_sandbox: bool) -> Statement:
    """Return what a person must know of a call before they confirm it.

    Args:
        judgement: of the call.
        deployment: where it would go.
        is_sandbox: whether that is the sandbox.
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
        changes=tuple(_changes(judgement)),
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
    content = judgement.arguments.get("csv")
    rows = getattr(content, "rows", None)
    yield from getattr(rows, "unusual", ())


def _changes(judgement: CallJudgement) -> Iterator[Change]:
    """Yield what the call changes: every argument that the place does not show already."""
    operation, update = judgement.operation, judgement.update
    for name in update.fields:
        yield from _change(judgement, name, update.fields[name])
    for path in update.cleared:
        name, _, key = path.partition(".")
        if not key:
            yield Change(path, _old(judgement, name), NOTHING)
    shown = {*operation.path_arguments, *update.fields, CLEAR, ADD, REMOVE}
    if APPLICATION in operation.reserved:
        shown.add(APPLICATION)  # whose key is used: among the ids
    for name, value in judgement.arguments.items():
        if name in operation.secrets:
            yield Change(name, UNKNOWN, "[secret]")
        elif name not in shown:
            yield from _change(judgement, name, value)


def _change(judgement: CallJudgement, name: str, value: Any) -> Iterator[Change]:
    if isinstance(value, Content):
        yield from _of_import(name, value)
        return
    old = _old(judgement, name)
    if judgement.update.old is not None and old not in (UNKNOWN, NOTHING) and same(old, value):
        return
    new = NOTHING if is_empty(value) and old is not NOTHING else hide({name: value})[name]
    yield Change(name, old, new)


def _old(judgement: CallJudgement, name: str) -> Any:
    """Return a field's old value: unknown where nothing by that name was read."""
    update, state = judgement.update, judgement.seen.state
    replaces = judgement.operation.replaces
    if update.old is not None and replaces and name in replaces.fields:
        return hide({name: update.old[name]})[name] if name in update.old else NOTHING
    if isinstance(state, Mapping) and name in state and name != "data":
        return NOTHING if is_empty(state[name]) else hide({name: state[name]})[name]
    return UNKNOWN


def _of_import(name: str, content: Content) -> Iterator[Change]:
    rows = getattr(content, "rows", None)
    if rows is not None:
        yield Change("rows", UNKNOWN, rows.count)
        for column, total in rows.totals.items():
            told = {"total": total.sum, "smallest": total.smallest, "largest": total.largest}
            yield Change(f"{name}.{column}", UNKNOWN, told)
        for column, groups in rows.groups.items():
            yield Change(f"{name}.{column}", UNKNOWN, dict(groups))
    yield Change(name, UNKNOWN, content.begins)
    yield Change(f"{name}.characters", UNKNOWN, content.characters)  # `begins` may be a part
    yield Change(f"{name}.sha256", UNKNOWN, content.sha256)
