"""What an entry of the catalog says about impact: what a call may do, and what it may do it to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from talonone_mcp.core.impact import Kind


@dataclass(frozen=True, slots=True)
class ImpactRule:
    """One impact that a call of an operation may have.

    Attributes:
        kind: the kind of impact.
        unit: what is counted, in the plural.
        amount: the measure: a number, the path of an argument (a number counts itself, a list its
            items, a CSV its rows), or None if it cannot be known.
        measured: the function of `calls/impact` that tells the impact instead.
        when: a JSON Schema over the arguments; the call has the impact only if they satisfy it.
        what: words for a person, with `{argument}` placeholders.
    """

    kind: Kind
    unit: str = ""
    amount: float | str | None = 1
    measured: str = ""
    when: dict[str, Any] | None = None
    what: str = ""


@dataclass(frozen=True, slots=True)
class Before:
    """The read that shows what a call is about to change.

    Attributes:
        read: the operation; it gets the call's path arguments that it knows.
        given: more arguments of the read; "{name}" stands for the call's own argument.
        pick: the argument whose value is the `id` of the thing, if the read is a list.
        optional: whether the call may create the thing, so that there need not be any.
        now: what a question shows of the answer: a label, and the path of its value. The values of
            a path that ends in `~` may change by themselves between the question and the yes.
    """

    read: str
    given: Mapping[str, Any] = field(default_factory=dict)
    pick: str = ""
    optional: bool = False
    now: Mapping[str, str] = field(default_factory=dict)
