"""Store budgets: how much discount each store may give in a campaign, in total or per period."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from itertools import groupby

from talonone_mcp.core.csv_values import number_in
from talonone_mcp.sandbox.documents.conditions import Where, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport, rows_of
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.stores.budget_periods import period_at
from talonone_mcp.sandbox.stores.campaign_links import place_in

OVERALL = "overall"  # what a budget without a period is called
_PERIODS = (OVERALL, "daily", "weekly", "monthly", "yearly")
_COLUMNS = ("store_integration_id", "limit")


# --- What is left of them -----------------------------------------------------------------------


def room(call: SandboxCall, campaign: int, place: int) -> float | None:
    """Return how much discount a store may still give in a campaign now; None for no limit."""
    left = [each["limit"] - _used(call, each) for each in _of_store(call.store, campaign, place)]
    return max(min(left), 0.0) if left else None


def spend_store_budgets(call: SandboxCall, campaign: int, place: int, amount: float) -> None:
    """Count a discount that a store gave in a campaign; a negative amount gives it back."""
    for budget in _of_store(call.store, campaign, place):
        used = max(_used(call, budget) + amount, 0.0)
        spent = {"used": round(used, 6), "usedIn": _period(call, budget)}
        call.store.replace("store_budgets", budget | spent)


def _of_store(store: DocumentStore, campaign: int, place: int) -> list[Document]:
    return store.select("store_budgets", equal("storeId", place), equal("campaignId", campaign))


def _used(call: SandboxCall, budget: Document) -> float:
    return float(budget["used"]) if budget["usedIn"] == _period(call, budget) else 0.0


def _period(call: SandboxCall, budget: Document) -> str:
    campaign = call.store.get("campaigns", budget["campaignId"]) or {}
    return period_at(call.store, campaign, budget["period"], call.now)


# --- Setting them -------------------------------------------------------------------------------


def new_budget(store: DocumentStore, campaign: int, settings: Mapping[str, object]) -> Document:
    """Store the budget of one store.

    Args:
        store: where to.
        campaign: the number of the campaign.
        settings: action, period, storeId, limit, and whether it was imported.

    Raises:
        sqlite3.IntegrityError: the store has one for this action and period.
    """
    budget = {"campaignId": campaign, "used": 0, "usedIn": "", **settings}
    label = "/".join(str(budget[key]) for key in ("campaignId", "storeId", "action", "period"))
    return store.add("store_budgets", budget, parent=campaign, label=label)


def create_store_budget(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    common = {"action": call.arguments["action"], "imported": False}
    period = call.arguments.get("period", OVERALL)
    for index, each in enumerate(call.arguments["storeLimits"]):
        at = f"/storeLimits/{index}"
        if each["storeId"] not in campaign.get("linkedStoreIds", []):
            message = f"store {each['storeId']} is not linked to the campaign"
            raise RefusalError(400, message, pointer=f"{at}/storeId")
        if each["limit"] < 0:
            raise RefusalError(400, "limit must not be negative", pointer=f"{at}/limit")
        try:
            new_budget(call.store, campaign["id"], common | {"period": period} | each)
        except sqlite3.IntegrityError:
            message = f"store {each['storeId']} has a {period} budget for this action"
            raise RefusalError(409, message, pointer=at) from None
    return 201, None


def import_store_budgets(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    common = {
        "action": call.arguments.get("action", "setDiscount"),
        "period": call.arguments.get("period", OVERALL),
    }
    replaced = (equal(name, value) for name, value in common.items())
    call.store.delete_where("store_budgets", *replaced, parent=campaign["id"])
    amount = 0
    for line, row in rows_of(call.arguments["csv"], _COLUMNS):
        number = place_in(call, line, row)["id"]
        if number not in campaign.get("linkedStoreIds", []):
            message = f"store {row['store_integration_id']} is not linked to the campaign"
            raise RefusalError(400, message, line=str(line))
        settings = {"storeId": number, "limit": _limit(line, row), "imported": True}
        try:
            new_budget(call.store, campaign["id"], common | settings)
        except sqlite3.IntegrityError:
            raise RefusalError(400, "the store has a line already", line=str(line)) from None
        amount += 1
    return 201, imported(call, "CampaignStoreBudget", amount)


def _limit(line: int, row: Mapping[str, str]) -> float:
    number = number_in(row["limit"])
    if number is None or number < 0:
        raise RefusalError(400, "limit must be a number that is not negative", line=str(line))
    limit = float(number)
    return int(limit) if limit.is_integer() else limit


# --- Reading and deleting them ------------------------------------------------------------------


def list_store_budgets(call: SandboxCall) -> Reply:
    return 200, {"data": [_shown(*each) for each in _asked_for(call)]}


def _asked_for(call: SandboxCall) -> Iterator[tuple[Document, Document]]:
    """Yield the budgets that pass the filters, each with its store."""
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    for budget in call.store.each("store_budgets", *_filters(call), parent=campaign["id"]):
        place = call.store.get("stores", budget["storeId"])
        if place:
            yield budget, place


def _filters(call: SandboxCall) -> list[Where]:
    return [equal(name, call.arguments.get(name)) for name in ("action", "period")]


def _shown(budget: Document, place: Document) -> Document:
    return {
        "store": {key: place[key] for key in ("id", "integrationId", "name")},
        "limit": int(budget["limit"]),  # documented as an integer, though a number is taken
        "action": budget["action"],
        "period": budget["period"],
    }


def export_store_budgets(call: SandboxCall) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    rows = (
        {"store_integration_id": place["integrationId"], "limit": budget["limit"]}
        for budget, place in _asked_for(call)
    )
    return 200, CsvExport(_COLUMNS, rows)


def summarize_store_budgets(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    budgets = call.store.select("store_budgets", parent=campaign["id"])
    kinds = groupby(sorted(budgets, key=_kind), key=_kind)
    return 200, {"data": [_summary(kind, list(each)) for kind, each in kinds]}


def _kind(budget: Document) -> tuple[str, int]:
    return budget["action"], _PERIODS.index(budget["period"])


def _summary(kind: tuple[str, int], budgets: list[Document]) -> Document:
    return {
        "action": kind[0],
        "period": budgets[0]["period"],
        "storeCount": len(budgets),
        "imported": any(each["imported"] for each in budgets),
    }


def delete_store_budgets(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    call.store.delete_where("store_budgets", *_filters(call), parent=campaign["id"])
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "list_store_budgets": list_store_budgets,
    "create_store_budget": create_store_budget,
    "delete_store_budgets": delete_store_budgets,
    "summarize_store_budgets": summarize_store_budgets,
    "import_store_budgets": import_store_budgets,
    "export_store_budgets": export_store_budgets,
}
