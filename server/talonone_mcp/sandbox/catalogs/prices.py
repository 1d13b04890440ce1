"""Prices of catalogs' items: current, past and best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from talonone_mcp.sandbox.documents.conditions import Where, equal, holds, within
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall

BASE = "base"  # the price type that an item has without adjustments


def item_label(catalog: int, sku: str) -> str:
    """Return an item's label: SKUs are unique within a catalog."""
    return f"{catalog}/{sku}"


def price_of(call: SandboxCall, sku: str) -> Document:
    """Return what the Application's catalog adds to a cart item; {} without a catalog."""
    for catalog in call.store.select(
        "catalogs", holds("subscribedApplicationsIds", call.application_id)
    ):
        item = call.store.find("catalog_items", item_label(catalog["id"], sku))
        if item and "price" in item:
            prices = {BASE: {"price": item["price"]}} | adjusted(item, stamp(call.now))
            return {
                "catalogItemID": item["id"],
                "price": item["price"],
                "selectedPriceType": BASE,
                "prices": prices,
            }
    return {}


def adjusted(item: Document, at: str) -> Document:
    """Return the item's prices of other types that hold at a time.

    Where adjustments of a type overlap, the one that was calculated last holds; null ends the
    type: https://docs.talon.one/integration-api: syncCatalog, ADD_PRICE_ADJUSTMENT.
    """
    latest: dict[str, Document] = {}
    for each in item.get("adjustments", []):
        if each.get("effectiveFrom", at) <= at < each.get("effectiveUntil", "9999"):
            known = latest.get(each["priceType"])
            if known is None or known["calculatedAt"] <= each["calculatedAt"]:
                latest[each["priceType"]] = each
    return {
        name: {_NAMES[key]: each[key] for key in _NAMES if key in each}
        for name, each in latest.items()
        if each.get("price") is not None
    }


_NAMES = {
    "price": "price",
    "contextId": "adjustmentContextId",
    "referenceId": "adjustmentReferenceId",
    "effectiveFrom": "adjustmentEffectiveFrom",
    "effectiveUntil": "adjustmentEffectiveUntil",
}

# --- History -------------------------------------------------------------------------------------


def observe(
    store: DocumentStore, applications: Iterable[int], observation: Document, at: str
) -> None:
    """Note a price in the history of each Application that sells the item.

    Args:
        store: where to.
        applications: their numbers.
        observation: `sku` and `price`, and where it comes from an adjustment, its `contextId` and
            `metadata`.
        at: since when it holds, a time in the store's format.
    """
    context = observation.get("contextId", "")
    entry = {
        "observedAt": at,
        "contextIds": [context] if context else [],
        "contextId": context,
        "metadata": {"influencingCampaignDetails": []},
        "target": {"type": "NONE"},
        **observation,
    }
    for application in applications:
        store.add("price_history", entry | {"applicationId": application})


def _shown(entry: Document) -> Document:
    return {key: value for key, value in entry.items() if key not in ("applicationId", "sku")}


def get_price_history(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    asked = call.arguments
    found = call.store.select(
        "price_history",
        *_of(application, asked["sku"]),
        within("observedAt", asked["startDate"], asked["endDate"]),
        sort="observedAt",
    )
    return 200, {"sku": asked["sku"], "history": [_shown(each) for each in found]}


def _of(application: int | None, sku: str) -> tuple[Where, ...]:
    return equal("applicationId", application), equal("sku", sku)


def get_best_prior_price(call: SandboxCall) -> Reply:
    found = (_best(call, sku) for sku in dict.fromkeys(call.arguments["skus"]))
    return 200, [each for each in found if each]


def _best(call: SandboxCall, sku: str) -> Document | None:
    """Return the lowest price that held in the days before the end of the time frame."""
    entries = _history(call, sku)
    if not entries:
        return None
    end = _end(call, entries)
    start = stamp(moment(end) - timedelta(days=int(call.arguments["timeframe"])))
    before = [each for each in entries if each["observedAt"] <= start]
    inside = [
        each for each in entries if start < each["observedAt"] and _is_before(call, each, end)
    ]
    held = [*before[-1:], *inside]  # what held at the start was a price of these days, too
    if not held:
        return None
    best = min(held, key=lambda each: float(each["price"]))
    return {key: value for key, value in best.items() if key != "applicationId"}


def _history(call: SandboxCall, sku: str) -> list[Document]:
    """Return the prices up to the given date, of the requested target."""
    asked = call.arguments
    target = asked.get("target", {"targetType": "NONE"})
    audience = target.get("audienceID") if target["targetType"] == "AUDIENCE" else None
    return call.store.select(
        "price_history",
        *_of(call.application_id, sku),
        equal("target.type", target["targetType"]),
        equal("target.audience.id", audience),
        within("observedAt", None, asked["timeframeEndDate"]),
        sort="observedAt",
    )


def _end(call: SandboxCall, entries: Sequence[Document]) -> str:
    """Return when the time frame ends.

    strict: at the given date; price: when the price then began; sale: when its context did.
    https://docs.talon.one/integration-api: bestPriorPrice
    """
    asked = call.arguments
    field = {"price": "price", "sale": "contextId"}.get(asked["timeframeEndDateType"])
    if field is None or not entries[-1][field]:
        return str(asked["timeframeEndDate"])
    since = entries[-1]
    for each in reversed(entries):
        if each[field] != since[field]:
            break
        since = each
    return str(since["observedAt"])


def _is_before(call: SandboxCall, entry: Document, end: str) -> bool:
    observed: str = entry["observedAt"]
    return observed <= end if call.arguments["timeframeEndDateType"] == "strict" else observed < end


HANDLERS: Mapping[str, Handler] = {
    "get_price_history": get_price_history,
    "get_best_prior_price": get_best_prior_price,
}
