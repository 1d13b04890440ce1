"""Capillary's coupon API: series of coupons, issued to Capillary's own customers."""

from __future__ import annotations

import string
from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import either, equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.code_patterns import draw_free

_IDENTIFIERS = ("mobile", "externalId", "email")
_PATTERN, _CHARACTERS = "##########", string.ascii_uppercase + string.digits
_SERIES = ("description", "discountCode", "validTill", "discountType", "discountValue",
           "discountUpto", "discountOn", "detailedInfo")  # fmt: skip


def capillary_issue_coupon(call: SandboxCall) -> Reply:
    series = _series(call)
    customer = _customer(call)
    code = draw_free(call.random, _PATTERN, _CHARACTERS, lambda code: _is_free(call, code))
    coupon = {"code": code, "created": stamp(call.now), "customerId": customer["id"]}
    coupon = call.store.add("capillary_coupons", coupon, parent=series["id"], label=code)
    return 200, {
        "code": code,
        "seriesId": series["id"],
        **{key: series[key] for key in _SERIES},
        "customer": _shown(customer),
        "redemptionCount": 0,
        "id": coupon["id"],
        "warnings": [],
    }


def _is_free(call: SandboxCall, code: str) -> bool:
    return call.store.find("capillary_coupons", code) is None


def _series(call: SandboxCall) -> Document:
    """Return the request's series, which must have coupons left."""
    number = call.arguments["seriesId"]
    series = call.store.get("capillary_series", number)
    if series is None:
        raise RefusalError(400, f"coupon series {number} does not exist")
    if series["validTill"] <= stamp(call.now):
        raise RefusalError(400, f"coupon series {number} has expired")
    if call.store.count("capillary_coupons", parent=number) >= series["maxIssued"]:
        raise RefusalError(400, f"coupon series {number} has no coupons left")
    return series


def _customer(call: SandboxCall) -> Document:
    """Return the customer whom one of the identifiers names, or who is registered with them.

    Raises:
        RefusalError: 400, when there is only Capillary's own id, and it names nobody.
    """
    given = call.arguments["customer"]
    named = (equal(name, given.get(name) or None) for name in _IDENTIFIERS)
    found = call.store.select(
        "capillary_customers", either(equal("id", given.get("id")), *named), limit=1
    )
    if found:
        return found[0]
    identifiers = {name: given[name] for name in _IDENTIFIERS if given.get(name)}
    if not identifiers:
        raise RefusalError(400, f"customer {given['id']} does not exist")
    customer = {"created": stamp(call.now), "firstName": "", "lastName": "", **identifiers}
    return call.store.add("capillary_customers", customer)


def _shown(customer: Document) -> Document:
    identifiers = [
        {"type": name, "value": customer[name]} for name in _IDENTIFIERS if name in customer
    ]
    profile = {
        "firstName": customer["firstName"],
        "lastName": customer["lastName"],
        "fields": {},
        "allFields": {},
        "identifiers": identifiers,
        "commChannels": [],
        "userId": customer["id"],
        "accountId": "",
        "autoUpdateTime": customer["created"],
        "identifiersAll": identifiers,
    }
    return {"id": customer["id"], "profiles": [profile]}


HANDLERS: Mapping[str, Handler] = {"capillary_issue_coupon": capillary_issue_coupon}
