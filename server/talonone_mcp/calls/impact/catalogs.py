"""What the actions of a catalog's sync do to its items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talonone_mcp.calls.catalog_items import attributes_of, is_whole, item_of, overwrites
from talonone_mcp.calls.impact.call_facts import CallFacts, Measured, is_empty, number
from talonone_mcp.calls.upstream_lists import count_listed, is_complete, listed
from talonone_mcp.core.names import in_words
from talonone_mcp.core.text import quoted

_WHOLE = 100.0  # percent


@dataclass(frozen=True, slots=True)
class _Fall:
    """How an item's price changes; `old` is None if it is not known."""

    sku: Any
    old: float | None
    new: float

    @property
    def percent(self) -> float | None:
        """By how many percent the price falls: 0 if it does not, None if nobody can know."""
        if self.old is None:
            return None
        return max(0.0, (self.old - self.new) / self.old * _WHOLE) if self.old > 0 else 0.0


def removed_items(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many items a sync removes."""
    count = sum(kind == "REMOVE" for kind, _ in _actions(facts))
    many = [payload for kind, payload in _actions(facts) if kind == "REMOVE_MANY"]
    if any(is_empty(payload.get("filters")) for payload in many):
        yield Measured(count_listed(facts.before), "every item of the catalog")
    elif many:
        yield Measured(None, "all that match the filters of a REMOVE_MANY")
    elif count:
        yield Measured(count)


def lower_prices(facts: CallFacts) -> Iterator[Measured]:
    """Tell by how much at most a sync lowers a price, in percent."""
    lower = [
        fall
        for kind, payload in _actions(facts)
        for fall in _falls(facts, kind, payload)
        if fall.percent is None or fall.percent > 0
    ]
    if not lower:
        return
    what = "of 1 item" if len(lower) == 1 else f"of {len(lower):,} items"
    if any(fall.percent is None for fall in lower):
        yield Measured(None, f"{what}, some of whose prices are not known")
        return
    most = max(lower, key=lambda fall: fall.percent or 0)
    told = f"{quoted(most.sku)} from {most.old:,g} to {most.new:,g}"
    yield Measured(round(most.percent or 0, 2), f"{what}; the most: {told}")


def lost_item_fields(facts: CallFacts) -> Iterator[Measured]:
    """Tell which fields of items a sync loses, where what is there cannot be kept for it."""
    lost = sum(_loses(facts, kind, payload) for kind, payload in _actions(facts))
    if lost:
        yield Measured(None, f"products or attributes of {lost:,} items, as far as they have any")
    blanked = [name for _, payload in _actions(facts) for name in _blanked(facts, payload)]
    if blanked:
        names = in_words([quoted(name) for name in dict.fromkeys(blanked)])
        yield Measured(len(blanked), f"attributes of items: {names}")


def _blanked(facts: CallFacts, payload: Mapping[str, Any]) -> Iterator[str]:
    """Yield the attributes that an action blanks and that some item it may meet has."""
    given = payload.get("attributes") or {}
    blank = [name for name, value in given.items() if is_empty(value)]
    if not blank:
        return
    is_known = is_complete(facts.before)
    sku = payload.get("sku")
    items = [each for each in listed(facts.before) if sku in (None, each.get("sku"))]
    for name in blank:
        if not is_known or any(not is_empty(attributes_of(item).get(name)) for item in items):
            yield name


def _actions(facts: CallFacts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    actions = facts.update.whole.get("actions", ())
    for each in actions if isinstance(actions, Sequence) else ():
        yield str(each.get("type")), each.get("payload") or {}


def _falls(facts: CallFacts, kind: str, payload: Mapping[str, Any]) -> Iterator[_Fall]:
    """Yield the price changes of an action."""
    sku = payload.get("sku")
    if kind in ("ADD", "PATCH") and number(payload.get("price")) is not None:
        yield _Fall(sku, _old_price(facts, payload), payload["price"])
    elif kind == "PATCH_MANY" and number(payload.get("price")) is not None:
        yield from _falls_of_many(facts, payload["price"])
    elif kind == "ADD_PRICE_ADJUSTMENT":
        for each in payload.get("adjustments", ()):
            if number(each.get("price")) is not None:
                yield _Fall(sku, _old_price(facts, payload), each["price"])


def _falls_of_many(facts: CallFacts, price: float) -> Iterator[_Fall]:
    """Yield the price changes of all items that a PATCH_MANY may meet."""
    if not is_complete(facts.before):
        yield _Fall(None, None, price)
        return
    for item in listed(facts.before):
        yield _Fall(item.get("sku"), number(item.get("price")) or 0, price)


def _old_price(facts: CallFacts, payload: Mapping[str, Any]) -> float | None:
    """Return an item's price; 0 for a new item or one without a price, None if it is unknown."""
    item = item_of(facts.before, payload.get("sku"))
    if item is not None:
        return number(item.get("price")) or 0
    return 0 if is_whole(facts.before, payload.get("sku")) else None


def _loses(facts: CallFacts, kind: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether an action may lose what an item has, because it cannot be read."""
    if not overwrites(kind, payload):
        return False
    known = item_of(facts.before, payload["sku"]) is not None
    return not known and not is_whole(facts.before, payload["sku"])
