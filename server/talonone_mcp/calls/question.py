"""Writes the question that a person must answer about a call.

A question is a text of lines, in this order. Each begins with words of ours:

    Gives 5,000 points: to customer "anna".         one line for each impact, the gravest first;
                                                    without any, the title of the operation
    Where: HOST; Application 42; campaign 18 "Summer Sale".
    Call: update_campaign (Update a campaign).
    Steps: create_campaign, create_coupons.         of a plan
    Change: endTime: "2027-01-01" → "2026-01-01"    one line for each argument that changes
    Set: endTime: "2026-01-01"                      the same, if the old value is not known
    Now: points: 250                                how things stand, one line for each fact
    Note: The current state could not be read.
    Undo: This cannot be undone.
    All of it: run talonone-mcp approvals show 3f9a12cd

A value is JSON, except that texts are cleaned and bounded by `quoted`, that plain keys stand bare,
and that `nothing` stands for no value. A value that is too long is summed up, and then `(cut`
stands before how much there is (`values_in_words`). A change of a value that is cut also says
`; different: OLD → NEW`, with only what differs.

So whatever others wrote stands within quotation marks that nothing in it can close, on a line that
begins with our words: it can neither add nor move a part of the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from talonone_mcp.calls.plan import Plan
from talonone_mcp.calls.values_in_words import (
    MAX_TEXT_CHARS,
    difference,
    is_cut,
    name_in_words,
    value_in_words,
)
from talonone_mcp.core.impact import Impact, Kind
from talonone_mcp.core.names import singular
from talonone_mcp.core.text import quoted


class _Absent:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


UNKNOWN: Final = _Absent("UNKNOWN")
"""An old value that could not be read."""
NOTHING: Final = _Absent("NOTHING")
"""No value: there was none, or there will be none."""

_SANDBOX = " (a practice account, nothing real changes)"
_CURRENCY = "the Application's currency"
_ENDLESS = ", perhaps without limit"
_GROWING: Final[tuple[Kind, ...]] = ("gives", "opens")  # what is unknown of these may have no end
_LEAST_EXACT, _MOST_EXACT = 1e-6, 1e15  # numbers beyond are shown by their magnitude

# The sentence of each kind, from the gravest; with a unit, the one for what is counted by it.
_SENTENCES: Final = MappingProxyType[Kind, str](
    {
        "destroys": "Removes {amount} for good",
        "grants": "Changes the rights of {amount}",
        "sends": "Sends {amount}",
        "takes": "Takes {amount}",
        "gives": "Gives {amount}",
        "prices": "Lowers the prices of {amount}",
        "closes": "Closes {amount}",
        "opens": "Opens {amount}",
        "drops": "Empties {amount}",
    }
)
_GRAVITY = {kind: place for place, kind in enumerate(_SENTENCES)}
_BY_UNIT: Final = MappingProxyType[tuple[Kind, str], str](
    {
        ("destroys", "people"): "Removes {amount} from the account for good",
        ("grants", "rights"): "Changes {amount}",
        ("grants", "changes"): "Changes rights in {amount}",
        ("grants", "groups"): "Changes who has access, for {amount}",
        ("sends", "hosts"): "Sends data to {amount}",
        ("sends", "addresses"): "Sends data to {amount}",
        ("takes", "people"): "Takes from {amount}",
        ("gives", "people"): "Gives to {amount}",
        ("prices", "percent"): "Lowers prices by {amount}",
        ("prices", "money"): "Lowers prices or budgets by {amount}",
        ("drops", "customers"): "Empties fields of {amount}",
        ("drops", "people"): "Empties fields of {amount}",
    }
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a person reads, and what must still be true when they say yes.

    Attributes:
        text: the question.
        seen: a digest of what the question says, without the values that move by themselves on a
            busy account, and without the command that shows everything.
        plan: the plan that the question is about, if it is a workflow's.
        whole: by what a person finds everything that the text leaves out; "" if it leaves out none.
    """

    text: str
    seen: str
    plan: Plan | None = None
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One argument: the value that it replaces and the one that it sets, as JSON has them.

    Attributes:
        field: the argument's name.
        old: the value there now; `UNKNOWN` if it could not be read, `NOTHING` if there is none.
        new: the value to be; `NOTHING` if the field is emptied.
    """

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Statement:
    """All that a question says. Texts are ours, except where a value is said to be theirs.

    Attributes:
        tool: the name of the operation.
        title: its title.
        deployment: "sandbox", or the name of a host.
        is_sandbox: whether nothing real changes.
        ids: labels and values (theirs) of what the call is about, from the outside in.
        name: what that is called upstream (theirs).
        impacts: what the call does; values in their words are quoted.
        now: how things stand: labels and values (theirs).
        drifting: the labels in `now` whose values move by themselves.
        changes: the arguments, and what they replace (theirs).
        warnings: sentences about the question itself; values in them are quoted.
        undo: how to undo the call, or that nothing can.
        steps: the operations of a workflow's plan, in order.
        whole: the command that shows everything.
    """

    tool: str
    title: str
    deployment: str
    is_sandbox: bool
    ids: tuple[tuple[str, Any], ...]
    name: str = ""
    impacts: tuple[Impact, ...] = ()
    now: tuple[tuple[str, Any], ...] = ()
    drifting: frozenset[str] = frozenset()
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    undo: str = ""
    steps: tuple[str, ...] = ()
    whole: str = ""


def question_of(statement: Statement, plan: Plan | None = None) -> Question:
    """Write the question."""
    begins, ends = _before_now(statement), _after_now(statement)
    lines = [*begins, *_now(statement), *ends]
    steady = [*begins, *_now(statement, steady=True), *ends]
    seen = sha256("\n".join(steady).encode()).hexdigest()
    if statement.whole and any(map(is_cut, lines)):
        lines.append(f"All of it: run {_ours(statement.whole)}")
    return Question("\n".join(lines), seen, plan)


def is_elided(statement: Statement) -> bool:
    """Tell whether the question leaves out any part of a value."""
    lines = (*_before_now(statement), *_now(statement), *_after_now(statement))
    return any(map(is_cut, lines))


def _before_now(statement: Statement) -> list[str]:
    lines = [*map(_impact, _by_gravity(statement.impacts))]
    if not lines:
        lines.append(f"{_sentence(statement.title)}.")
    lines.append(f"Where: {_where(statement)}.")
    lines.append(f"Call: {statement.tool} ({_ours(statement.title)}).")
    if statement.steps:
        lines.append(f"Steps: {', '.join(statement.steps)}.")
    return [*lines, *map(_change, statement.changes)]


def _now(statement: Statement, *, steady: bool = False) -> Iterator[str]:
    """Yield how things stand, without the values that drift if `steady`."""
    for label, value in statement.now:
        drifts = steady and label in statement.drifting
        yield f"Now: {_ours(label)}:{'' if drifts else ' ' + _value(value)}"


def _after_now(statement: Statement) -> list[str]:
    lines = [f"Note: {_ours(warning)}" for warning in statement.warnings]
    return [*lines, f"Undo: {_ours(statement.undo)}"] if statement.undo else lines


def _where(statement: Statement) -> str:
    place = name_in_words(statement.deployment) + (_SANDBOX if statement.is_sandbox else "")
    things = [f"{_ours(label)} {_value(value)}" for label, value in statement.ids]
    name = f" {quoted(statement.name, MAX_TEXT_CHARS)}" if statement.name else ""
    return "; ".join([place, *things]) + (name if things or not name else f";{name}")


def _change(change: Change) -> str:
    field, new = name_in_words(change.field), _value(change.new)
    if change.old is UNKNOWN:
        return f"Set: {field}: {new}"
    old = _value(change.old)
    line = f"Change: {field}: {old} → {new}"
    if not (is_cut(old) or is_cut(new)):
        return line
    before, after = difference(change.old, change.new)
    different = f"{_value(before)} → {_value(after)}"
    return line if line.endswith(f": {different}") else f"{line}; different: {different}"


def _value(value: Any) -> str:
    if value is NOTHING:
        return "nothing"
    return "unknown" if value is UNKNOWN else value_in_words(value)


def _by_gravity(impacts: Sequence[Impact]) -> list[Impact]:
    """Return impacts from the gravest; of those counted alike, the largest comes first."""
    units = list(dict.fromkeys(impact.unit for impact in impacts))

    def gravity(impact: Impact) -> tuple[int, bool, int, float]:
        known = impact.measure is not None and isfinite(impact.measure)
        size = -(impact.measure or 0) if known else 0
        return _GRAVITY[impact.kind], known, units.index(impact.unit), size

    return sorted(impacts, key=gravity)


def _impact(impact: Impact) -> str:
    sentence = _BY_UNIT.get((impact.kind, impact.unit), _SENTENCES[impact.kind])
    line = sentence.format(amount=_amount(impact.kind, impact.measure, impact.unit))
    what = _sentence(impact.what)
    return f"{line}: {what}." if what else f"{line}."


def _amount(kind: Kind, measure: float | None, unit: str) -> str:
    """Return a measure in words: "1 code", "5,000 points", "an unknown number of people"."""
    if measure is None or not isfinite(measure):
        if unit == "money":
            return f"an unknown sum in {_CURRENCY}{_ENDLESS}"
        if unit == "percent":
            return "an unknown percentage"
        return f"an unknown number of {unit}{_ENDLESS if kind in _GROWING else ''}"
    number = _number(measure)
    if unit == "money":
        return f"{number} of {_CURRENCY}"
    if unit == "percent":
        return f"up to {number} percent"
    return f"{number} {singular(unit) if measure == 1 else unit}"


def _number(measure: float) -> str:
    if measure and not _LEAST_EXACT <= abs(measure) < _MOST_EXACT:
        return f"{measure:.3g}"
    return f"{int(measure):,}" if measure == int(measure) else f"{measure:,.6f}".rstrip("0")


def _sentence(text: str) -> str:
    return _ours(text).rstrip(".")


def _ours(text: str) -> str:
    """Return words of ours on one line, whatever got into them."""
    return " ".join(text.split())
