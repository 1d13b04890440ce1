"""Coupons reserved for customers."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.codes.coupons import code_label
from talonone_mcp.sandbox.customers.profile_lists import profile_shown
from talonone_mcp.sandbox.customers.profile_records import profile_of
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall


def _by_code(call: SandboxCall) -> Document:
    code = call.arguments["couponValue"]
    coupon = call.store.find("coupons", code_label(call.application_id or 0, code))
    if coupon is None:
        raise RefusalError(404, f"coupon {code} does not exist", resource="coupon")
    return coupon


def _holders(call: SandboxCall, coupon: Document) -> dict[str, Document]:
    return {
        each["customer"]: each for each in call.store.select("reservations", parent=coupon["id"])
    }


def reserve_coupon(call: SandboxCall) -> Reply:
    coupon = _by_code(call)
    holders = _holders(call, coupon)
    for customer in dict.fromkeys(call.arguments["integrationIDs"]):
        if customer not in holders:
            profile_of(call, customer)
            reservation = {"customer": customer, "couponId": coupon["id"]}
            call.store.add("reservations", reservation, parent=coupon["id"])
    return 201, _counted(call, coupon)


def list_coupon_reservations(call: SandboxCall) -> Reply:
    customers = _holders(call, _by_code(call))
    profiles = [profile_shown(call, profile_of(call, customer)) for customer in customers]
    return 200, {"totalResultSize": len(profiles), "data": profiles}


def delete_coupon_reservations(call: SandboxCall) -> Reply:
    coupon = _by_code(call)
    holders = _holders(call, coupon)
    for customer in call.arguments["integrationIDs"]:
        if customer in holders:
            call.store.delete("reservations", holders[customer]["id"])
    _counted(call, coupon)
    return 204, None


def _counted(call: SandboxCall, coupon: Document) -> Document:
    count = len(_holders(call, coupon))
    return call.store.replace("coupons", coupon | {"reservationCounter": count})


HANDLERS: Mapping[str, Handler] = {
    "reserve_coupon": reserve_coupon,
    "list_coupon_reservations": list_coupon_reservations,
    "delete_coupon_reservations": delete_coupon_reservations,
}
