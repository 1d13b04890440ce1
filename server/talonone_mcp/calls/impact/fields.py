"""Fields that have a value and lose it, and Applications that lose something they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.calls.impact.call_facts import UNKNOWN, CallFacts, Measured, is_empty
from talonone_mcp.core.names import in_words


def emptied_fields(facts: CallFacts) -> Iterator[Measured]:
    """Tell which fields an update empties."""
    if facts.given("replace"):
        yield Measured(None, "whatever the call leaves out is lost")
        return
    if not any(_may_empty(facts, name) for name in facts.update.named):
        return
    if facts.before is None:
        yield Measured(None, in_words(facts.update.named))
        return
    lost = [each for name in facts.update.named for each in _lost(facts, name)]
    if lost:
        yield Measured(len(lost), in_words(lost))


def _may_empty(facts: CallFacts, name: str) -> bool:
    """Tell whether a call may empty a field, as far as its arguments can tell."""
    return facts.names(name) and (is_empty(facts.new(name)) or isinstance(facts.new(name), dict))


def _lost(facts: CallFacts, name: str) -> Iterator[str]:
    old, new = facts.old(name), facts.new(name)
    if is_empty(old) or old is UNKNOWN:
        return
    if is_empty(new):
        yield name
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in old.items():
            if not is_empty(value) and is_empty(new.get(key)):
                yield f"{name}.{_key(key)}"


def _key(key: Any) -> str:
    """Return a key that somebody else chose, if it is plain."""
    text = str(key)
    return text if text.isascii() and text.replace("_", "").isalnum() else "(a key)"


def lost_applications(facts: CallFacts) -> Iterator[Measured]:
    """Tell which Applications can no longer use a thing."""
    move = facts.move("subscribedApplicationsIds")
    if not move:
        return
    if not move.is_known:
        yield Measured(None, "in which it can be used change")
        return
    if lost := sorted({*(move.old or ())} - {*(move.new or ())}):
        yield Measured(len(lost), f"{in_words(map(str, lost))} can no longer use it")


_IDENTITY = ("entity", "eventType", "name", "type")


def narrower_attribute(facts: CallFacts) -> Iterator[Measured]:
    """Tell when rules and integrations may no longer be able to use an attribute as they do."""
    reasons = [f"its {name} changes" for name in _IDENTITY if facts.move(name)]
    move = facts.move("editable")
    if move and not move.new:
        reasons.append("it can no longer be edited")
    for name in ("restrictedBySuggestions", "hasAllowedList"):
        move = facts.move(name)
        if move and move.new:
            reasons.append("it takes only the values on its list")
    move = facts.move("suggestions")
    if move and (not move.is_known or {*map(str, move.old or ())} - {*map(str, move.new or ())}):
        reasons.append("values leave its list")
    if reasons:
        yield Measured(1, "; ".join(dict.fromkeys(reasons)))


def renamed_cost(facts: CallFacts) -> Iterator[Measured]:
    """Tell when integrations no longer find an additional cost by the name that they send."""
    if changed := [name for name in ("name", "type") if facts.move(name)]:
        yield Measured(1, f"its {in_words(changed)} change, by which integrations and rules use it")
