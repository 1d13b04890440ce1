"""Which campaigns run in which stores: campaigns list the ids of their stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport, rows_of
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.stores.stores import find_store, with_stores

_MOST = (
    50  # stores that a campaign names itself, https://docs.talon.one/management-api: updateCampaign
)


def is_open(campaign: Document, place: Document | None) -> bool:
    """Return whether a campaign is for a session of this store, or of none.

    One without stores is for all sessions: https://docs.talon.one/management-api: updateCampaign.
    """
    linked = campaign.get("linkedStoreIds")
    return not linked or (place is not None and place["id"] in linked)


def links_after(call: SandboxCall, campaign: Document, asked: Mapping[str, Any]) -> Document:
    """Return a campaign's stores after a change.

    Args:
        call: the request.
        campaign: as it is.
        asked: the new settings. Stores from a file are not theirs to change.

    Raises:
        RefusalError: 400, when the campaign has stores from a file and others are named, when
            they are too many, or one is none of the Application.
    """
    numbers = list(dict.fromkeys(asked.get("linkedStoreIds") or []))
    if campaign.get("storesImported"):
        if numbers:
            message = "the stores of this campaign were imported from a file"
            raise RefusalError(400, message, pointer="/linkedStoreIds")
        return {key: campaign[key] for key in ("linkedStoreIds", "storesImported")}
    if len(numbers) > _MOST:
        raise RefusalError(400, f"at most {_MOST} stores; import more", pointer="/linkedStoreIds")
    for number in numbers:
        place = call.store.get("stores", number)
        if place is None or place["applicationId"] != campaign["applicationId"]:
            raise RefusalError(400, f"store {number} does not exist", pointer="/linkedStoreIds")
    return {"linkedStoreIds": numbers, "storesImported": False}


def export_campaign_stores(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    return 200, CsvExport(("store_integration_id",), _places(call.store, campaign))


def _places(store: DocumentStore, campaign: Document) -> Iterator[dict[str, str]]:
    numbers = campaign.get("linkedStoreIds", [])
    for place in filter(None, (store.get("stores", number) for number in numbers)):
        yield {"store_integration_id": place["integrationId"]}


def disconnect_campaign_stores(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    call.store.replace("campaigns", with_stores(campaign, [], from_file=False))
    return 204, None


def import_campaign_stores(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    rows = rows_of(call.arguments["csv"], ("store_integration_id",))
    numbers = dict.fromkeys(place_in(call, line, row)["id"] for line, row in rows)
    call.store.replace("campaigns", with_stores(campaign, list(numbers), from_file=True))
    return 200, imported(call, "CampaignStores", len(numbers))


def place_in(call: SandboxCall, line: int, row: Mapping[str, str]) -> Document:
    """Return the store named in a line of an import.

    Raises:
        RefusalError: 400 with the line, when the Application has none of that integration id.
    """
    name = row["store_integration_id"]
    place = find_store(call.store, call.arguments["applicationId"], name)
    if place is None:
        raise RefusalError(400, f"store {name} does not exist", line=str(line))
    return place


HANDLERS: Mapping[str, Handler] = {
    "export_campaign_stores": export_campaign_stores,
    "disconnect_campaign_stores": disconnect_campaign_stores,
    "import_campaign_stores": import_campaign_stores,
}
