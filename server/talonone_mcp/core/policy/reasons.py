"""Why a policy has a person asked, or not, in one plain line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from talonone_mcp.core.impact import Kind
from talonone_mcp.core.names import singular
from talonone_mcp.core.policy.amounts import Key, Spent
from talonone_mcp.core.policy.policy_lines import PolicyLine

NOTHING = "nothing in it is asked about"
_HOUR_S, _DAY_S = 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class _Verb:
    """What a call does, and would have done; {} is how much of what.

    `alone` says it without an amount, where the unit alone makes no sense.
    """

    does: str
    done: str
    alone: str = ""


_VERBS: Mapping[Kind, _Verb] = {
    "destroys": _Verb("destroys {}", "destroyed {}"),
    "takes": _Verb("takes {}", "taken {}"),
    "gives": _Verb("gives {}", "given {}"),
    "opens": _Verb("opens {}", "opened {}"),
    "closes": _Verb("closes {}", "closed {}"),
    "drops": _Verb("drops {}", "dropped {}"),
    "prices": _Verb("changes the prices of {}", "changed the prices of {}"),
    "grants": _Verb("grants {}", "granted {}"),
    "sends": _Verb("sends {}", "sent {}"),
}
_OF_UNIT: Mapping[Key, _Verb] = {
    ("prices", "percent"): _Verb("lowers prices by {}", "lowered prices by {}", "lowers prices"),
    ("prices", "budgets"): _Verb("lowers {}", "lowered {}"),
    ("sends", "hosts"): _Verb("sends data to {}", "sent data to {}"),
}


def to_ask(line: PolicyLine, key: Key, total: float | None, spent: Spent, window_s: float) -> str:
    """Return why a person is asked about what a call does; "" if they are not.

    Args:
        line: what decides about it.
        key: its kind and unit.
        total: how much of it; None if that cannot be known.
        spent: what went without asking within the window.
        window_s: the window, in seconds.
    """
    if line.asked == "never":
        return ""
    if line.asked == "always":
        return f"{_does(key)}, which is always asked about ({line.origin})"
    if total is None:
        unknown = "an amount that cannot be known, which counts as more than any limit"
        return f"{_does(key)}, {unknown} ({line.origin})"
    if line.above is not None and total > line.above:
        return f"{_does(key, 'more than {}', line.above)} in one call ({line.origin})"
    if line.at_least is not None and total >= line.at_least:
        return f"{_does(key, '{} or more', line.at_least)} in one call ({line.origin})"
    return _sums_to_ask(line, key, total, spent, window_s)


def not_to_ask(line: PolicyLine, key: Key, total: float | None) -> str:
    """Return why nobody is asked about what a call does."""
    if line.asked == "never":
        return f"{_does(key)}, which is never asked about ({line.origin})"
    return f"{_does(key, '{}', total or 0)}, which is within the limits ({line.origin})"


def number(measure: float) -> str:
    """Return a number as people read it, such as 1,000 or 0.5."""
    return f"{measure:,.2f}".rstrip("0").rstrip(".")


def window_in_words(seconds: float) -> str:
    """Return a span of time, such as "24 hours" or "7 days"."""
    for unit, size in (("day", _DAY_S), ("hour", _HOUR_S), ("minute", 60.0)):
        count = seconds / size
        if count.is_integer() and (count > 1 or unit != "day"):
            return f"{count:.0f} {unit}{'' if count == 1 else 's'}"
    return f"{number(seconds)} seconds"


def _sums_to_ask(line: PolicyLine, key: Key, total: float, spent: Spent, window_s: float) -> str:
    for who, before, limit in (
        ("would", spent.own.get(key, 0.0), line.sum_above),
        ("all principals together would", spent.all.get(key, 0.0), line.sum_of_all_above),
    ):
        if limit is not None and total > 0 and before + total > limit:
            done = _verb(key).done.format(counted(before + total, key[1]))
            window = window_in_words(window_s)
            return (
                f"{who} have {done} in {window} without asking; the limit is {number(limit)}"
                f" ({line.origin})"
            )
    return ""


def _does(key: Key, words: str = "", count: float = 0) -> str:
    """Say what a call does, such as "gives more than 1,000 points"; without words, no amount."""
    verb = _verb(key)
    if words:
        return verb.does.format(words.format(counted(count, key[1])))
    return verb.alone or verb.does.format(key[1])


def _verb(key: Key) -> _Verb:
    return _OF_UNIT.get(key, _VERBS[key[0]])


def counted(count: float, unit: str) -> str:
    """Return an amount with its unit: "1,000 points", "1 point", "20 in money"."""
    if unit == "money":
        return f"{number(count)} in money"
    return f"{number(count)} {singular(unit) if count == 1 else unit}"


def when_asked(line: PolicyLine, window_s: float) -> str:
    """Return when a line has a person asked, such as "above 100 in one call or in 24 hours"."""
    if line.asked != "beyond":
        return line.asked
    window = window_in_words(window_s)
    limits = {
        "in one call": line.above,
        f"in {window}": line.sum_above,
        f"by all principals in {window}": line.sum_of_all_above,
    }
    parts = [] if line.at_least is None else [f"{number(line.at_least)} or more in one call"]
    for limit in dict.fromkeys(limits.values()):
        where = " or ".join(words for words, each in limits.items() if each == limit)
        parts += [] if limit is None else [f"above {number(limit)} {where}"]
    return ", ".join(parts) or "never"
