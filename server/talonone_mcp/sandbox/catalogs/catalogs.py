"""Cart item catalogs: their items, and the actions that change them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.catalogs.prices import item_label, observe
from talonone_mcp.sandbox.documents.conditions import Condition, Where, among, column, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page


def list_catalog_items(call: SandboxCall) -> Reply:
    catalog = call.get("catalogs", "catalogId")
    asked = call.arguments
    return 200, page(
        call,
        "catalog_items",
        among("sku", asked.get("sku")),
        among("product.name", asked.get("productNames")),
        parent=catalog["id"],
        total=asked.get("withTotalResultSize", False),
        present=_shown,
    )


def _shown(item: Document) -> Document:
    """Return an item as it is shown, its attributes as upstream lists them."""
    listed = [{"name": name, "value": value} for name, value in item["attributes"].items()]
    kept = {key: value for key, value in item.items() if key not in ("adjustments", "attributes")}
    return kept | {"attributes": listed}


# --- Changing ------------------------------------------------------------------------------------


def sync_catalog(call: SandboxCall) -> Reply:
    catalog = call.get("catalogs", "catalogId")
    if catalog["version"] < call.arguments.get("version", 1):
        message = f"the catalog's version is {catalog['version']}"
        raise RefusalError(400, message, pointer="/version")
    actions = call.arguments["actions"]
    _check_distinct(actions)
    catalog |= {"version": catalog["version"] + 1, "modified": stamp(call.now)}
    for index, action in enumerate(actions):
        at = f"actions/{index}/payload"
        attributes.check(
            call, "CartItem", action["payload"].get("attributes"), at=f"{at}/attributes"
        )
        _ACTIONS[action["type"]](call, catalog, action["payload"], at)
    return 200, call.store.replace("catalogs", catalog)


def _check_distinct(actions: list[Document]) -> None:
    """Refuse an item that appears twice.

    Raises:
        RefusalError: 400, with a pointer to the second.
    """
    seen: set[str | None] = set()
    for index, action in enumerate(actions):
        sku = action["payload"].get("sku")
        if sku and sku in seen:
            at = f"/actions/{index}/payload/sku"
            raise RefusalError(400, f"SKU {sku} stands in more than one action", pointer=at)
        seen.add(sku)


def _find(store: DocumentStore, catalog: Document, sku: str) -> Document | None:
    return store.find("catalog_items", item_label(catalog["id"], sku))


def _existing(call: SandboxCall, catalog: Document, payload: Document, at: str) -> Document:
    item = _find(call.store, catalog, payload["sku"])
    if item is None:
        message = f"the catalog has no item {payload['sku']}"
        raise RefusalError(400, message, pointer=f"/{at}/sku")
    return item


def _add(call: SandboxCall, catalog: Document, payload: Document, at: str) -> None:
    known = _find(call.store, catalog, payload["sku"])
    if known is None:
        _create(call, catalog, payload)
    elif payload.get("replaceIfExists"):
        _change(call, catalog, known, payload | {"attributes": payload.get("attributes", {})})
    else:
        message = f"the catalog has item {payload['sku']} already"
        raise RefusalError(400, message, pointer=f"/{at}/sku")


def _create(call: SandboxCall, catalog: Document, payload: Document) -> None:
    item: Document = {
        "created": stamp(call.now),
        "sku": payload["sku"],
        "catalogid": catalog["id"],
        "version": catalog["version"],
        "attributes": payload.get("attributes", {}),
    }
    item |= {key: payload[key] for key in ("price", "product") if key in payload}
    label = item_label(catalog["id"], payload["sku"])
    call.store.add("catalog_items", item, parent=catalog["id"], label=label)
    _observe(call, catalog, item)


def _observe(call: SandboxCall, catalog: Document, item: Document) -> None:
    if "price" in item:
        seen = {"sku": item["sku"], "price": item["price"]}
        observe(call.store, catalog["subscribedApplicationsIds"], seen, stamp(call.now))


def _change(
    call: SandboxCall, catalog: Document, item: Document, payload: Document, *, keeps: bool = False
) -> None:
    """Store an item with new properties; its product is removed unless given, or `keeps`."""
    changed = item | {"version": catalog["version"]}
    if not keeps:
        changed.pop("product", None)
    taken = ("price", "product", "attributes")
    changed |= {key: payload[key] for key in taken if key in payload}
    call.store.replace("catalog_items", changed)
    if changed.get("price") != item.get("price"):
        _observe(call, catalog, changed)


def _patch(call: SandboxCall, catalog: Document, payload: Document, at: str) -> None:
    known = _find(call.store, catalog, payload["sku"])
    if known is None and payload.get("createIfNotExists"):
        _create(call, catalog, payload)
        return
    item = known or _existing(call, catalog, payload, at)
    _change(call, catalog, item, _with_merged_attributes(item, payload))


def _with_merged_attributes(item: Document, payload: Document) -> Document:
    return payload | {"attributes": item["attributes"] | payload.get("attributes", {})}


def _patch_many(call: SandboxCall, catalog: Document, payload: Document, _: str) -> None:
    where = list(_filters(payload))
    for item in list(call.store.each("catalog_items", *where, parent=catalog["id"])):
        changes = {key: value for key, value in payload.items() if key != "filters"}
        _change(call, catalog, item, _with_merged_attributes(item, changes), keeps=True)


def _remove(call: SandboxCall, catalog: Document, payload: Document, at: str) -> None:
    call.store.delete("catalog_items", _existing(call, catalog, payload, at)["id"])


def _remove_many(call: SandboxCall, catalog: Document, payload: Document, _: str) -> None:
    call.store.delete_where("catalog_items", *_filters(payload), parent=catalog["id"])


_OPERATORS = {"LT": "<", "LE": "<=", "GT": ">", "GE": ">="}


def _filters(payload: Document) -> Iterator[Where]:
    """Yield the conditions of an action on many items, all of which must hold."""
    for each in payload.get("filters", []):
        field, value = f"attributes.{each['attr']}", each["value"]
        if each["op"] == "EQ":
            yield equal(field, value)
        elif each["op"] == "IN":
            yield _one_of(field, value)
        else:
            sql = f"CAST({column(field)} AS REAL) {_OPERATORS[each['op']]} ?"
            yield Condition(f"{column(field)} IS NOT NULL AND {sql}", (float(value),))


def _one_of(field: str, value: Any) -> Where:
    """Match one of several comma-separated values; numbers compare as written."""
    words = [word.strip() for word in str(value).split(",")]
    marks = ",".join("?" * len(words))
    return Condition(f"CAST({column(field)} AS TEXT) IN ({marks})", tuple(words))


def _adjust(call: SandboxCall, catalog: Document, payload: Document, at: str) -> None:
    item = _existing(call, catalog, payload, at)
    known = item.get("adjustments", [])
    taken = {each["referenceId"] for each in known}
    new = []
    for index, each in enumerate(payload["adjustments"]):
        if each["referenceId"] in taken:
            where = f"/{at}/adjustments/{index}/referenceId"
            raise RefusalError(400, f"{each['referenceId']} was used before", pointer=where)
        taken.add(each["referenceId"])
        new.append({"calculatedAt": stamp(call.now)} | each)
    changes = {"adjustments": [*known, *new], "version": catalog["version"]}
    call.store.replace("catalog_items", item | changes)
    for each in sorted(new, key=operator.itemgetter("calculatedAt")):
        _observe_adjustment(call, catalog, item, each)


def _observe_adjustment(
    call: SandboxCall, catalog: Document, item: Document, adjustment: Document
) -> None:
    if adjustment.get("price") is None:
        return
    seen = {
        "sku": item["sku"],
        "price": adjustment["price"],
        "contextId": adjustment.get("contextId", ""),
        "metadata": {
            "influencingCampaignDetails": [],
            "adjustmentDetails": {
                "referenceId": adjustment["referenceId"],
                "selectedPriceType": adjustment["priceType"],
                "value": adjustment["price"],
            },
        },
    }
    at = adjustment.get("effectiveFrom", stamp(call.now))
    observe(call.store, catalog["subscribedApplicationsIds"], seen, at)


_ACTIONS: Mapping[str, Callable[[SandboxCall, Document, Document, str], None]] = {
    "ADD": _add,
    "PATCH": _patch,
    "PATCH_MANY": _patch_many,
    "REMOVE": _remove,
    "REMOVE_MANY": _remove_many,
    "ADD_PRICE_ADJUSTMENT": _adjust,
}
HANDLERS: Mapping[str, Handler] = {
    "list_catalog_items": list_catalog_items,
    "sync_catalog": sync_catalog,
}
