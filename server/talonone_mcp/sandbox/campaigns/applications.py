"""Applications, their health and their cart item filters."""

from collections.abc import Mapping
from datetime import timedelta

from talonone_mcp.sandbox.documents.conditions import contains
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page


def list_applications(call: SandboxCall) -> Reply:
    return 200, page(call, "applications", total=True)


def get_application(call: SandboxCall) -> Reply:
    return 200, call.get("applications", "applicationId")


def get_application_health(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    return 200, {"summary": "OK", "lastUsed": stamp(call.now - timedelta(minutes=2))}


def list_cart_item_filters(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    named = contains("name", call.arguments.get("name"))
    return 200, page(
        call, "cart_item_filters", named, parent=call.arguments["applicationId"], total=False
    )


def get_cart_item_filter_expression(call: SandboxCall) -> Reply:
    call.get("cart_item_filters", "cartItemFilterId", parent="applicationId")
    expression = call.get("cart_item_filter_expressions", "expressionId", parent="applicationId")
    if expression["cartItemFilterId"] != call.arguments["cartItemFilterId"]:
        raise RefusalError(404, "expression does not belong to this filter", resource="expression")
    return 200, expression


HANDLERS: Mapping[str, Handler] = {
    "list_applications": list_applications,
    "get_application": get_application,
    "get_application_health": get_application_health,
    "list_cart_item_filters": list_cart_item_filters,
    "get_cart_item_filter_expression": get_cart_item_filter_expression,
}
