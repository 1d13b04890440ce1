"""Collections: named lists of values that rules refer to, of the account or of one campaign."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import Condition, contains, equal, filled
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport, rows_of
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.handling.pages import page

# https://docs.talon.one/management-api: importAccountCollection, getAccountCollection
_MOST_ITEMS, _MOST_SHOWN = 500_000, 50


def holds(store: DocumentStore, collection: int, item: str) -> bool:
    """Return whether a collection has an item."""
    return store.find("collection_items", f"{collection}/{item}") is not None


def drop_collections(store: DocumentStore, campaign: int) -> None:
    """Remove the collections of a campaign with their items."""
    of_them = Condition("parent IN (SELECT id FROM collections WHERE parent = ?)", (campaign,))
    store.delete_where("collection_items", of_them)
    store.delete_where("collections", parent=campaign)


# --- The account's and a campaign's -------------------------------------------------------------


def list_account_collections(call: SandboxCall) -> Reply:
    return _listed(call, filled("campaignId", wanted=False))


def list_application_collections(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")
    return _listed(call, equal("applicationId", application["id"]))


def list_campaign_collections(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    return _listed(call, equal("campaignId", campaign["id"]))


def _listed(call: SandboxCall, where: Condition | None) -> Reply:
    named = contains("name", call.arguments.get("name"))
    total = call.arguments.get("withTotalResultSize", False)
    return 200, page(call, "collections", where, named, total=total)


def create_account_collection(call: SandboxCall) -> Reply:
    _check_applications(call)
    settings = {"subscribedApplicationsIds": call.arguments.get("subscribedApplicationsIds", [])}
    return _created(call, settings, parent=None)


def create_campaign_collection(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    place = {"applicationId": campaign["applicationId"], "campaignId": campaign["id"]}
    return _created(call, place, parent=campaign["id"])


def _created(call: SandboxCall, settings: Mapping[str, object], parent: int | None) -> Reply:
    now = stamp(call.now)
    collection = {
        "created": now,
        "accountId": ACCOUNT_ID,
        "modified": now,
        "createdBy": call.user_id,
        "description": call.arguments.get("description", ""),
        "name": call.arguments["name"],
        **settings,
    }
    try:
        label = collection_label(collection)
        stored = call.store.add("collections", collection, parent=parent, label=label)
    except sqlite3.IntegrityError:
        message = f"a collection named {collection['name']} exists"
        raise RefusalError(409, message, pointer="/name") from None
    return 201, _with_items(call, stored)


def collection_label(collection: Document) -> str:
    """Return a collection's label: its name is unique within its campaign or the account.

    That the account does is upstream's: https://docs.talon.one/management-api:
    createAccountCollection.
    """
    return f"{collection.get('campaignId', '')}/{collection['name']}"


def _check_applications(call: SandboxCall) -> None:
    for number in call.arguments.get("subscribedApplicationsIds", []):
        if call.store.get("applications", number) is None:
            message = f"application {number} does not exist"
            raise RefusalError(400, message, pointer="/subscribedApplicationsIds")


def _with_items(call: SandboxCall, collection: Document) -> Document:
    first = call.store.select("collection_items", parent=collection["id"], limit=_MOST_SHOWN)
    return collection | {"payload": [each["item"] for each in first]}


# --- One of them --------------------------------------------------------------------------------


def _collection(call: SandboxCall) -> Document:
    """Return the path's collection, of a campaign or of the account."""
    if "campaignId" in call.arguments:
        call.get("campaigns", "campaignId", parent="applicationId")
    collection = call.get("collections", "collectionId")
    if collection.get("campaignId") != call.arguments.get("campaignId"):
        message = f"collection {collection['id']} does not exist here"
        raise RefusalError(404, message, resource="collection")
    return collection


def get_collection(call: SandboxCall) -> Reply:
    return 200, _with_items(call, _collection(call))


def update_collection(call: SandboxCall) -> Reply:
    collection = _collection(call)
    _check_applications(call)
    return 200, _with_items(call, _changed(call, collection, call.body))


def _changed(call: SandboxCall, collection: Document, changes: Mapping[str, object]) -> Document:
    by = {"modified": stamp(call.now), "modifiedBy": call.user_id}
    return call.store.replace("collections", {**collection, **changes, **by})


def delete_collection(call: SandboxCall) -> Reply:
    collection = _collection(call)
    call.store.delete("collections", collection["id"])
    call.store.delete_where("collection_items", parent=collection["id"])
    return 204, None


# --- Items --------------------------------------------------------------------------------------


def list_collection_items(call: SandboxCall) -> Reply:
    number = call.get("collections", "collectionId")["id"]
    return 200, page(call, "collection_items", parent=number, total=False, present=_item_alone)


def _item_alone(item: Document) -> Document:
    return {"item": item["item"]}


def import_collection(call: SandboxCall) -> Reply:
    collection = _collection(call)
    items = _items(call.arguments["csv"])
    present = call.store.each("collection_items", parent=collection["id"])
    if items == [each["item"] for each in present]:
        raise RefusalError(400, "the collection has exactly these items already", line="1")
    call.store.delete_where("collection_items", parent=collection["id"])
    add_items(call.store, collection["id"], items)
    _changed(call, collection, {})
    return 200, imported(call, "Collection", len(items))


def add_items(store: DocumentStore, collection: int, items: list[str]) -> None:
    """Store the items of a collection that has none, in their order."""
    first = store.next_id("collection_items")
    numbered = enumerate(items, first)
    store.add_all(
        "collection_items",
        (
            ({"id": number, "item": item}, collection, f"{collection}/{item}")
            for number, item in numbered
        ),
    )


def _items(text: str) -> list[str]:
    """Return the distinct items of an import.

    Raises:
        RefusalError: 400 with the line, when one is empty or one too many.
    """
    items: dict[str, None] = {}
    for line, row in rows_of(text, ("item",)):
        if not row["item"].strip():
            raise RefusalError(400, "item must not be empty", line=str(line))
        items[row["item"]] = None
        if len(items) > _MOST_ITEMS:
            message = f"a collection has at most {_MOST_ITEMS:,} items"
            raise RefusalError(400, message, line=str(line))
    return list(items)


def export_collection(call: SandboxCall) -> Reply:
    collection = _collection(call)
    return 200, CsvExport(("item",), call.store.each("collection_items", parent=collection["id"]))


HANDLERS: Mapping[str, Handler] = {
    "list_account_collections": list_account_collections,
    "create_account_collection": create_account_collection,
    "get_account_collection": get_collection,
    "update_account_collection": update_collection,
    "delete_account_collection": delete_collection,
    "list_collection_items": list_collection_items,
    "list_application_collections": list_application_collections,
    "list_campaign_collections": list_campaign_collections,
    "create_campaign_collection": create_campaign_collection,
    "get_campaign_collection": get_collection,
    "update_campaign_collection": update_collection,
    "delete_campaign_collection": delete_collection,
    "import_account_collection": import_collection,
    "import_campaign_collection": import_collection,
    "export_account_collection": export_collection,
    "export_campaign_collection": export_collection,
}
