"""Stores: the places where an Application's customers buy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    contains,
    either,
    equal,
    filled,
    holds,
)
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page


def store_label(application: int, integration_id: str) -> str:
    """Return a store's label: its integration id is unique within its Application."""
    return f"{application}/{integration_id}"


def find_store(store: DocumentStore, application: int, integration_id: str) -> Document | None:
    """Return the store that an Application knows by an integration id."""
    return store.find("stores", store_label(application, integration_id))


def list_stores(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    asked = call.arguments
    word = asked.get("query")
    return 200, page(
        call,
        "stores",
        _linked_to(asked.get("campaignId")),
        contains("name", asked.get("name")),
        equal("integrationId", asked.get("integrationId")),
        either(contains("name", word), contains("integrationId", word)),
        parent=application,
        total=asked.get("withTotalResultSize", False),
        present=_presenter(_links(call.store, application, filled("linkedStoreIds"))),
    )


def _linked_to(campaign: float | None) -> Where:
    if campaign is None:
        return None
    linked = (
        "SELECT json_each.value FROM campaigns, json_each(campaigns.body, '$.linkedStoreIds')"
        " WHERE campaigns.id = ?"
    )
    return Condition(f"id IN ({linked})", (campaign,))


def _links(store: DocumentStore, application: int, linked: Where) -> dict[int, list[int]]:
    """Return, by the number of a store, the campaigns that it is linked to."""
    links: dict[int, list[int]] = {}
    for campaign in store.select("campaigns", linked, parent=application):
        for number in campaign["linkedStoreIds"]:
            links.setdefault(number, []).append(campaign["id"])
    return links


def _presenter(links: Mapping[int, list[int]]) -> Callable[[Document], Document]:
    return lambda place: place | {"linkedCampaignIds": links.get(place["id"], [])}


def create_store(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    attributes.check(call, "Store", call.arguments.get("attributes"))
    now = stamp(call.now)
    created = {"created": now, "applicationId": application, "updated": now, "attributes": {}}
    label = store_label(application, call.arguments["integrationId"])
    try:
        stored = call.store.add("stores", created | call.body, parent=application, label=label)
    except sqlite3.IntegrityError:
        message = f"a store with integration id {call.arguments['integrationId']} exists"
        raise RefusalError(409, message, pointer="/integrationId") from None
    return 201, stored | {"linkedCampaignIds": []}


def get_store(call: SandboxCall) -> Reply:
    return 200, _shown(call, _place(call))


def _place(call: SandboxCall) -> Document:
    return call.get("stores", "storeId", parent="applicationId")


def _shown(call: SandboxCall, place: Document) -> Document:
    linked = holds("linkedStoreIds", place["id"])
    return _presenter(_links(call.store, place["applicationId"], linked))(place)


def update_store(call: SandboxCall) -> Reply:
    place = _place(call)
    if call.arguments["integrationId"] != place["integrationId"]:
        # https://docs.talon.one/management-api: updateStore
        raise RefusalError(400, "integrationId cannot change", pointer="/integrationId")
    attributes.check(call, "Store", call.arguments.get("attributes"))
    # An update without attributes loses them: the request is the whole store.
    changed = place | {"attributes": {}} | call.body | {"updated": stamp(call.now)}
    return 200, _shown(call, call.store.replace("stores", changed))


def delete_store(call: SandboxCall) -> Reply:
    place = _place(call)
    call.store.delete("stores", place["id"])
    call.store.delete_where("store_budgets", equal("storeId", place["id"]))
    linked = holds("linkedStoreIds", place["id"])
    for campaign in call.store.select("campaigns", linked, parent=place["applicationId"]):
        left = [number for number in campaign["linkedStoreIds"] if number != place["id"]]
        linked_to = with_stores(campaign, left, from_file=campaign["storesImported"])
        call.store.replace("campaigns", linked_to)
    return 204, None


def with_stores(campaign: Document, numbers: list[int], *, from_file: bool) -> Document:
    """Return a campaign with other stores; `from_file` says where its list of them comes from."""
    return campaign | {"linkedStoreIds": numbers, "storesImported": from_file and bool(numbers)}


HANDLERS: Mapping[str, Handler] = {
    "list_stores": list_stores,
    "create_store": create_store,
    "get_store": get_store,
    "update_store": update_store,
    "delete_store": delete_store,
}
