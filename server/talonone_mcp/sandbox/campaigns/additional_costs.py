"""Additional costs: what sessions and items cost besides their prices."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import Condition, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.handling.subscriptions import check_subscriptions


def list_additional_costs(call: SandboxCall) -> Reply:
    return 200, page(call, "additional_costs", total=True)


def create_additional_cost(call: SandboxCall) -> Reply:
    cost = {
        "created": stamp(call.now),
        "accountId": ACCOUNT_ID,
        "subscribedApplicationsIds": [],
        "type": "session",
        **call.body,
    }
    _check(call.store, cost)
    return 201, call.store.add("additional_costs", cost, label=cost["name"])


def _check(store: DocumentStore, cost: Document) -> None:
    others = Condition("id <> ?", (cost.get("id", 0),))
    for field in ("name", "title"):
        if store.count("additional_costs", equal(field, cost[field]), others):
            said = f"there is an additional cost with the {field} {cost[field]} already"
            raise RefusalError(400, said, pointer=f"/{field}")
    check_subscriptions(store, cost["subscribedApplicationsIds"])


def get_additional_cost(call: SandboxCall) -> Reply:
    return 200, call.get("additional_costs", "additionalCostId")


def update_additional_cost(call: SandboxCall) -> Reply:
    cost = call.get("additional_costs", "additionalCostId")
    if call.arguments["name"] != cost["name"]:
        said = f"the name {cost['name']} cannot be changed"
        raise RefusalError(400, said, pointer="/name")
    fixed = {key: cost[key] for key in ("id", "created", "accountId")}
    changed = fixed | {"subscribedApplicationsIds": [], "type": "session"} | call.body
    _check(call.store, changed)
    return 200, call.store.replace("additional_costs", changed)


HANDLERS: Mapping[str, Handler] = {
    "list_additional_costs": list_additional_costs,
    "create_additional_cost": create_additional_cost,
    "get_additional_cost": get_additional_cost,
    "update_additional_cost": update_additional_cost,
}
