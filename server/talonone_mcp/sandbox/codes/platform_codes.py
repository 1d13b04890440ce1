"""Coupons and referrals that customer engagement platforms ask for, through the Third-party API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import add_to_counters
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.codes.coupons import new_code, new_coupon, settings_of
from talonone_mcp.sandbox.codes.referrals import issue
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall

_MOST_USES = 999_999
_SHOWN = {
    "StartDate": "startDate",
    "ExpiryDate": "expiryDate",
    "RecipientIntegrationID": "recipientIntegrationId",
    "DiscountLimit": "discountLimit",
}


def cep_create_or_get_coupon(call: SandboxCall) -> Reply:
    return 200, _kept_unless_dry(_typed(call), _coupon_of)


def cep_create_referral(call: SandboxCall) -> Reply:
    return 200, _kept_unless_dry(_typed(call), _new_referral)


def _kept_unless_dry(call: SandboxCall, answered: Callable[[SandboxCall], Document]) -> Document:
    if not call.arguments.get("dryRun"):
        return answered(call)
    with call.store.rehearsal():
        return answered(call)


def _coupon_of(call: SandboxCall) -> Document:
    """Return the coupon of the request's identifier, or a new one."""
    call.get("applications", "applicationId")
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    identifier = call.arguments.get("identifier")
    label = f"{campaign['applicationId']}/{identifier}"
    known = call.store.find("platform_coupons", label) if identifier else None
    coupon = call.store.get("coupons", known["couponId"]) if known else None
    if coupon is None:
        coupon = _new_coupon(call, campaign)
        if known:  # its coupon was deleted
            call.store.replace("platform_coupons", known | {"couponId": coupon["id"]})
        elif identifier:
            call.store.add("platform_coupons", {"couponId": coupon["id"]}, label=label)
    return _shown(coupon, campaign["applicationId"])


def _new_coupon(call: SandboxCall, campaign: Document) -> Document:
    attributes.check(call, "Coupon", call.arguments.get("attributes"))
    settings = settings_of(call, call.arguments)
    add_to_counters(call.store, campaign["id"], couponCreationCount=1)
    return new_coupon(call.store, campaign, new_code(call, campaign, {}), settings)


def _shown(coupon: Document, application: int) -> Document:
    """Return a coupon as this API shows it, under its own names."""
    return {
        "ID": coupon["id"],
        "ApplicationID": application,
        "CampaignID": coupon["campaignId"],
        "Value": coupon["value"],
        "UsageLimit": coupon["usageLimit"],
        "Attributes": coupon["attributes"],
        **{name: coupon[field] for name, field in _SHOWN.items() if field in coupon},
    }


def _new_referral(call: SandboxCall) -> Document:
    campaign = call.get("campaigns", "campaignId")
    return issue(call, [call.arguments["advocateProfileIntegrationId"]], campaign)[0]


def _typed(call: SandboxCall) -> SandboxCall:
    """Return the request with arguments typed as in the other APIs.

    Raises:
        RefusalError: 400, when one is not of its type.
    """
    arguments = dict(call.arguments)
    for name in ("applicationId", "campaignId"):
        if name in arguments:
            arguments[name] = _number(name, arguments[name])
    if "usageLimit" in arguments:
        uses = arguments["usageLimit"]
        if uses != int(uses) or not 0 <= uses <= _MOST_USES:
            said = f"usageLimit must be a whole number from 0 to {_MOST_USES}"
            raise RefusalError(400, said, parameter="usageLimit")
        arguments["usageLimit"] = int(uses)
    if "attributes" in arguments:
        arguments["attributes"] = {
            name: _attribute(text) for name, text in arguments["attributes"].items()
        }
    return replace(call, arguments=arguments)


def _number(name: str, text: str) -> int:
    if not text.isdigit():
        raise RefusalError(400, f"{name} must be a number", parameter=name)
    return int(text)


def _attribute(text: Any) -> Any:
    """Read a value from a query: 7 is a number; "7" in quotes, and anything but JSON, a text.

    https://docs.talon.one/third-party-api: Create coupon.
    """
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


HANDLERS: Mapping[str, Handler] = {
    "cep_create_or_get_coupon": cep_create_or_get_coupon,
    "cep_create_referral": cep_create_referral,
}
