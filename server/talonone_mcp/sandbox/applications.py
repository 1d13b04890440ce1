"""Applications, their health and their cart item filters."""

from collections.abc import Mapping
from datetime import timedelta

from talonone_mcp.sandbox.handling import Call, Handler, Reply, UpstreamError, contains, page, stamp


def list_applications(call: Call) -> Reply:
    return 200, page(call, call.store.list("applications"), total=True)


def get_application(call: Call) -> Reply:
    return 200, call.get("applications", "applicationId")


def get_application_health(call: Call) -> Reply:
    call.get("applications", "applicationId")
    return 200, {"summary": "OK", "lastUsed": stamp(call.now - timedelta(minutes=2))}


def list_cart_item_filters(call: Call) -> Reply:
    call.get("applications", "applicationId")
    filters = call.store.list("cart_item_filters", call.arguments["applicationId"])
    name = call.arguments.get("name", "")
    return 200, page(call, [each for each in filters if contains(each["name"], name)], total=False)


def get_cart_item_filter_expression(call: Call) -> Reply:
    call.get("cart_item_filters", "cartItemFilterId", parent="applicationId")
    expression = call.get("cart_item_filter_expressions", "expressionId", parent="applicationId")
    if expression["cartItemFilterId"] != call.arguments["cartItemFilterId"]:
        raise UpstreamError(404, "expression does not belong to this filter", resource="expression")
    return 200, expression


HANDLERS: Mapping[str, Handler] = {
    "list_applications": list_applications,
    "get_application": get_application,
    "get_application_health": get_application_health,
    "list_cart_item_filters": list_cart_item_filters,
    "get_cart_item_filter_expression": get_cart_item_filter_expression,
}
