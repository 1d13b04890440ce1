"""What one customer has: everything that refers to their profile, by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from talonone_mcp.sandbox.achievements.progress_lists import progress_in
from talonone_mcp.sandbox.campaigns.campaign_records import frontend_state
from talonone_mcp.sandbox.cards.card_records import cards_of
from talonone_mcp.sandbox.codes.giveaways import given_to
from talonone_mcp.sandbox.codes.referrals import referrals_of
from talonone_mcp.sandbox.customers.profile_lists import profile_shown
from talonone_mcp.sandbox.customers.profile_records import existing_profile
from talonone_mcp.sandbox.documents.conditions import either, equal, having_id, with_child
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.loyalty.profile_ledgers import programs_of


def get_customer_inventory(call: SandboxCall) -> Reply:
    customer = existing_profile(call, call.arguments["integrationId"])["integrationId"]
    return 200, {
        name: section(call, customer)
        for name, section in _SECTIONS.items()
        if call.arguments.get(name)
    }


def _profile(call: SandboxCall, customer: str) -> Document:
    return profile_shown(call, existing_profile(call, customer))


def _loyalty(call: SandboxCall, customer: str) -> Document:
    return {"cards": cards_of(call, customer), "programs": programs_of(call, customer)}


def _referrals(call: SandboxCall, customer: str) -> list[Document]:
    return referrals_of(call.store, call.application_id or 0, customer)


def _achievements(call: SandboxCall, customer: str) -> list[Document]:
    found = progress_in(call, call.application_id or 0, customer)
    return [each for each in found if each["status"] != "not_started"]


def _coupons(call: SandboxCall, customer: str) -> list[Document]:
    """Return the coupons that a customer has: reserved, addressed to them, or redeemed."""
    redeemed = [
        each["couponId"] for each in call.store.select("redemptions", equal("profileId", customer))
    ]
    coupons = call.store.select(
        "coupons",
        either(
            equal("recipientIntegrationId", customer),
            with_child("reservations", equal("customer", customer)),
            having_id(redeemed),
        ),
    )
    campaigns = {
        each["id"]: each for each in call.store.select("campaigns", parent=call.application_id)
    }
    return [
        _coupon(each, campaigns[each["campaignId"]], redeemed.count(each["id"]), call.now)
        for each in coupons
        if each["campaignId"] in campaigns
    ]


def _coupon(coupon: Document, campaign: Document, redeemed: int, now: datetime) -> Document:
    """Return a coupon with its state for one customer, given how often they redeemed it.

    https://docs.talon.one/integration-api: getCustomerInventory, state
    """
    at = stamp(now)
    states = {
        "disabled": frontend_state(campaign, now) not in ("running", "scheduled"),
        "pending": coupon.get("startDate", at) > at,
        "used": 0 < coupon["usageLimit"] <= coupon["usageCounter"],
        "expired": coupon.get("expiryDate", "9999") <= at,
    }
    if redeemed and states["expired"]:
        states["used"] = True
    state = next((name for name, holds in states.items() if holds), "active")
    return coupon | {"profileRedemptionCount": redeemed, "state": state}


_SECTIONS: Mapping[str, Callable[[SandboxCall, str], object]] = {
    "profile": _profile,
    "loyalty": _loyalty,
    "referrals": _referrals,
    "coupons": _coupons,
    "giveaways": lambda call, customer: given_to(call.store, customer),
    "achievements": _achievements,
}

HANDLERS: Mapping[str, Handler] = {"get_customer_inventory": get_customer_inventory}
