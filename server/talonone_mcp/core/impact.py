"""What a call does to customers, data and rights, whatever the operation is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "destroys", "takes", "gives", "opens", "closes", "drops", "prices", "grants", "sends"
]
"""The kinds of impact.

destroys: something is gone for good. takes: customers lose points, codes, cards or memberships.
gives: customers get points, codes, money. opens, closes: a campaign or an existing code starts or
stops working. drops: a field that has a value loses it. prices: prices or store budgets fall.
grants: somebody's rights change. sends: data or mail goes to an address.
"""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Impact:
    """One impact of one call.

    Attributes:
        kind: one of `KINDS`.
        measure: how much of it, in `unit`; None if that cannot be known, which counts as the most.
        unit: what is counted, in the plural: "points", "codes", "campaigns", "percent".
        what: the rest in words, such as `to customer "anna"`; values in it are quoted.
    """

    kind: Kind
    measure: float | None
    unit: str
    what: str = ""
