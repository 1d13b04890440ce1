"""What coupons have to do with customers: reservations, and why a session refused a code."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.coupons import label
from talonone_mcp.sandbox.handling import (
    ACCOUNT_ID,
    Call,
    Handler,
    Reply,
    UpstreamError,
    stamp,
)
from talonone_mcp.sandbox.store import Document


def _by_code(call: Call) -> Document:
    code = call.arguments["couponValue"]
    coupon = call.store.find("coupons", label(call.application_id or 0, code))
    if coupon is None:
        raise UpstreamError(404, f"coupon {code} does not exist", resource="coupon")
    return coupon


def _holders(call: Call, coupon: Document) -> dict[str, Document]:
    return {each["customer"]: each for each in call.store.list("reservations", coupon["id"])}


def reserve_coupon(call: Call) -> Reply:
    coupon = _by_code(call)
    holders = _holders(call, coupon)
    for customer in dict.fromkeys(call.arguments["integrationIDs"]):
        if customer not in holders:
            reservation = {"customer": customer, "couponId": coupon["id"]}
            call.store.add("reservations", reservation, parent=coupon["id"])
    return 201, _counted(call, coupon)


def list_coupon_reservations(call: Call) -> Reply:
    profiles = [_profile(call, customer) for customer in _holders(call, _by_code(call))]
    return 200, {"totalResultSize": len(profiles), "data": profiles}


def delete_coupon_reservations(call: Call) -> Reply:
    coupon = _by_code(call)
    holders = _holders(call, coupon)
    for customer in call.arguments["integrationIDs"]:
        if customer in holders:
            call.store.delete("reservations", holders[customer]["id"])
    _counted(call, coupon)
    return 204, None


def _counted(call: Call, coupon: Document) -> Document:
    count = len(_holders(call, coupon))
    return call.store.replace("coupons", coupon | {"reservationCounter": count})


def _profile(call: Call, customer: str) -> Document:
    """Return a customer's profile, which comes into being when it is first spoken of."""
    known = call.store.find("customers", customer)
    if known is not None:
        return known
    profile = {
        "created": stamp(call.now),
        "integrationId": customer,
        "attributes": {},
        "accountId": ACCOUNT_ID,
        "closedSessions": 0,
        "totalSales": 0,
        "lastActivity": stamp(call.now),
    }
    return call.store.add("customers", profile, label=customer)


def explain_coupon_rejections(call: Call) -> Reply:
    asked = call.arguments
    found = [
        {key: value for key, value in each.items() if key != "applicationId"}
        | {"language": asked.get("language", "en")}
        for each in call.store.list("coupon_rejections")
        if each["sessionID"] == asked["sessionIntegrationId"]
        and asked.get("couponCode") in (None, each["couponCode"])
        and asked.get("applicationId") in (None, each["applicationId"])
    ]
    return 200, {"data": found}


HANDLERS: Mapping[str, Handler] = {
    "reserve_coupon": reserve_coupon,
    "list_coupon_reservations": list_coupon_reservations,
    "delete_coupon_reservations": delete_coupon_reservations,
    "explain_coupon_rejections": explain_coupon_rejections,
}
