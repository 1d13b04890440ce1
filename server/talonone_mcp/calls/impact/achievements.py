"""When an achievement becomes easier or harder to reach."""

from __future__ import annotations

from collections.abc import Iterator

from talonone_mcp.calls.impact.call_facts import CallFacts, Measured, Move, number

_TERMS = ("period", "periodEndOverride", "recurrencePolicy", "activationPolicy")


def easier_achievement(facts: CallFacts) -> Iterator[Measured]:
    """Tell when customers reach an achievement with less, or more often."""
    reasons = []
    move = facts.move("target")
    if move and not _is_more(move):
        reasons.append(f"customers need {move.new:,g}{_instead(move)}")
    reasons += [f"its {name} changes" for name in _TERMS if facts.move(name)]
    if facts.later("endDate") == "later":
        reasons.append("it ends later, or never")
    if reasons:
        yield Measured(None, "; ".join(reasons))


def harder_achievement(facts: CallFacts) -> Iterator[Measured]:
    """Tell when customers need more for an achievement, or have less time."""
    reasons = []
    move = facts.move("target")
    if move and (_is_more(move) or not move.is_known):
        reasons.append(f"customers need {move.new:,g}{_instead(move)}")
    if facts.later("endDate") in ("earlier", "unknown"):
        reasons.append("its end changes")
    move = facts.move("allowRollbackAfterCompletion")
    if move and move.new:
        reasons.append("returns take it back")
    if reasons:
        yield Measured(1, "; ".join(reasons))


def _is_more(move: Move) -> bool:
    old, new = number(move.old), number(move.new)
    return old is not None and new is not None and new > old


def _instead(move: Move) -> str:
    old = number(move.old)
    return "" if old is None else f" instead of {old:,g}"
