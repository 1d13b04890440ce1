"""Keep what a catalog's items have, where an action of a sync replaces what it leaves out.

Of an item that is there, PATCH clears the product that it does not name, and ADD with
replaceIfExists the product and the attributes. So they are filled in from the item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp.calls.shown import Shown
from talonone_mcp.calls.upstream_lists import is_complete, listed


def with_items_kept(arguments: Mapping[str, Any], seen: Shown) -> Mapping[str, Any]:
    """Return a sync's arguments, with what its actions would lose filled in.

    Raises:
        BeforeNeededError: the items must be read first.
    """
    actions = arguments.get("actions", ())
    if not any(overwrites(str(each.get("type")), each.get("payload") or {}) for each in actions):
        return arguments
    return {**arguments, "actions": [_kept(each, seen.before) for each in actions]}


def _kept(action: Mapping[str, Any], before: Any) -> Mapping[str, Any]:
    payload = action.get("payload") or {}
    if not overwrites(str(action.get("type")), payload):
        return action
    item = item_of(before, payload["sku"])
    if item is None:
        return action
    kept: dict[str, Any] = {}
    if isinstance(item.get("product"), Mapping):
        kept["product"] = {"name": item["product"].get("name", "")}
    if action.get("type") == "PATCH":
        return {**action, "payload": {**kept, **payload}}
    kept |= {"price": item["price"]} if "price" in item else {}
    attributes = attributes_of(item) | dict(payload.get("attributes") or {})
    return {**action, "payload": {**kept, **payload, "attributes": attributes}}


def attributes_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's attributes by name; upstream lists them as names and values."""
    given = item.get("attributes") or ()
    if isinstance(given, Mapping):
        return dict(given)
    return {each["name"]: each["value"] for each in given if "name" in each and "value" in each}


def overwrites(kind: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether an action loses the product or attributes that it leaves out."""
    is_replacing = kind == "PATCH" or (kind == "ADD" and bool(payload.get("replaceIfExists")))
    leaves = "product" not in payload or (kind == "ADD" and "attributes" not in payload)
    return is_replacing and leaves and "sku" in payload


def item_of(before: Any, sku: Any) -> Mapping[str, Any] | None:
    """Return the item with a SKU, if upstream showed it."""
    return next((each for each in listed(before) if each.get("sku") == sku), None)


def is_whole(before: Any, sku: Any) -> bool:
    """Tell whether an item that was not shown is not there either."""
    return sku is not None and is_complete(before)
