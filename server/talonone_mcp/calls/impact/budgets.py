"""How limits change: budgets of campaigns, and the nested limits of codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from talonone_mcp.core.text import quoted

_UNITS = {
    "redeemCoupon": "codes",
    "createCoupon": "codes",
    "reserveCoupon": "codes",
    "redeemReferral": "referrals",
    "createReferral": "referrals",
    "setDiscount": "money",
    "createLoyaltyPoints": "points",
    "awardGiveaway": "giveaways",
}


@dataclass(frozen=True, slots=True)
class LimitChange:
    """How one limit changes.

    Attributes:
        how: "ends" without another in its place, "starts" where none was, "repeats" by period
            where it was a total, "grows" or "shrinks".
        amount: by how much it grows; None if without end.
        unit: what it counts.
        what: the change in words.
    """

    how: Literal["ends", "starts", "repeats", "grows", "shrinks"]
    amount: float | None
    unit: str
    what: str


def limit_changes(old: Sequence[Any], new: Sequence[Any]) -> Iterator[LimitChange]:
    """Yield how each limit changes from one list of limits to another."""
    before, after = _by_subject(old), _by_subject(new)
    for subject in {**before, **after}:
        yield from _changes(subject, before.get(subject, []), after.get(subject, []))


def _by_subject(limits: Sequence[Any]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Group limits by what they limit: an action, for each of some entities."""
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in limits:
        if isinstance(each, Mapping):
            entities = ", ".join(sorted(map(str, each.get("entities") or ())))
            grouped.setdefault((str(each.get("action")), entities), []).append(each)
    return grouped


def _changes(
    subject: tuple[str, str], old: list[Mapping[str, Any]], new: list[Mapping[str, Any]]
) -> Iterator[LimitChange]:
    action, entities = subject
    unit = _UNITS.get(action, "uses")
    per = f" for each {entities}" if entities else ""
    name = f"the limit on {quoted(action, 40)}{per}"
    before = {_period(each): float(each.get("limit") or 0) for each in old}
    after = {_period(each): float(each.get("limit") or 0) for each in new}
    if len(after) < len(new):  # upstream does not say which of them counts
        yield LimitChange("repeats", None, unit, f"{name} is given more than once")
        return
    if before and not after:
        yield LimitChange("ends", None, unit, f"{name} ends")
        return
    if "overall" in before and "overall" not in after and after:
        yield LimitChange("repeats", None, unit, f"{name} is {_told(after)} instead of a total")
    for period, limit in after.items():
        if period not in before:
            if not ("overall" in before and "overall" not in after):
                yield LimitChange("starts", limit, unit, f"{name} is {_told({period: limit})}")
            continue
        change = limit - before[period]
        words = f"{name} is {_told({period: limit})} instead of {before[period]:,g}"
        if change:
            # A limit that starts again and again allows no sum.
            amount = None if change > 0 and period != "overall" else change
            yield LimitChange("grows" if change > 0 else "shrinks", amount, unit, words)
    for period in before.keys() - after.keys() - {"overall"}:
        yield LimitChange("ends", None, unit, f"{name} no longer applies {period}")


def _period(limit: Mapping[str, Any]) -> str:
    return str(limit.get("period") or "overall")


def _told(limits: Mapping[str, float]) -> str:
    return " and ".join(
        f"{limit:,g}" if period == "overall" else f"{limit:,g} {period}"
        for period, limit in limits.items()
    )
