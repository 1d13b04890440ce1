"""Referrals: codes with which customers (advocates) bring in others (friends)."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import (
    add_to_counters,
    frontend_state,
    used_of_limit,
)
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.codes.code_validity import check_dates
from talonone_mcp.sandbox.codes.coupons import code_label
from talonone_mcp.sandbox.customers.profile_records import find_profile, meeting_with, profile_of
from talonone_mcp.sandbox.documents.conditions import equal, having_parent
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.code_patterns import draw_free, new_batch

# https://docs.talon.one/integration-api: createReferralsForMultipleAdvocates
_CHARACTERS = list(string.ascii_uppercase + string.digits)
_PATTERN = "############"

# Properties of the request that a new referral takes over as they are
_TAKEN = ("startDate", "expiryDate", "usageLimit", "friendProfileIntegrationId", "attributes")


def find_referral(store: DocumentStore, application: int, code: str) -> Document | None:
    """Return a referral of an Application by its code."""
    return store.find("referrals", code_label(application, code))


def new_referral(
    store: DocumentStore, campaign: Document, code: str, settings: Mapping[str, Any]
) -> Document:
    """Store one referral, and count it.

    Args:
        store: where to.
        campaign: what it belongs to.
        code: a code that the Application does not have yet.
        settings: properties as the API names them, at least `created` and
            `advocateProfileIntegrationId`; the others have defaults.
    """
    referral = {
        "campaignId": campaign["id"],
        "code": code,
        "usageLimit": 1,
        "usageCounter": 0,
        "attributes": {},
        **settings,
    }
    add_to_counters(store, campaign["id"], referralCreationCount=1)
    found_by = code_label(campaign["applicationId"], code)
    return store.add("referrals", referral, parent=campaign["id"], label=found_by)


# --- Creating ------------------------------------------------------------------------------------


def create_referral(call: SandboxCall) -> Reply:
    advocate = call.arguments["advocateProfileIntegrationId"]
    return 201, issue(call, [advocate], _campaign(call))[0]


def create_referrals_for_advocates(call: SandboxCall) -> Reply:
    advocates = call.arguments["advocateProfileIntegrationIds"]
    issued = issue(call, advocates, _campaign(call), batch=new_batch(call))
    if call.arguments.get("silent", "yes") != "no":
        return 204, None
    return 201, {"totalResultSize": len(issued), "data": issued}


def _campaign(call: SandboxCall) -> Document:
    """Return the request's campaign, which must belong to the integration key's Application."""
    number = call.arguments["campaignId"]
    campaign = call.store.get("campaigns", number)
    if campaign is None or campaign["applicationId"] != call.application_id:
        raise RefusalError(400, f"campaign {number} does not exist", pointer="/campaignId")
    return campaign


def issue(
    call: SandboxCall, advocates: Sequence[str], campaign: Document, *, batch: str | None = None
) -> list[Document]:
    """Create a referral for each advocate from the request's common settings.

    The campaign's limits of referrals do not hold here:
    https://docs.talon.one/integration-api: createReferral.

    Raises:
        RefusalError: 400, when dates or attributes are wrong, or the pattern has no more codes.
    """
    asked = call.arguments
    check_dates(asked)
    attributes.check(call, "Referral", asked.get("attributes"))
    common = {key: asked[key] for key in _TAKEN if key in asked} | {"created": stamp(call.now)}
    if batch:
        common["batchId"] = batch
    for advocate in advocates:
        profile_of(call, advocate)
    return [
        new_referral(
            call.store,
            campaign,
            _new_code(call, campaign),
            common | {"advocateProfileIntegrationId": advocate},
        )
        for advocate in advocates
    ]


def _new_code(call: SandboxCall, campaign: Document) -> str:
    settings = campaign.get("referralSettings", {})
    asked = call.arguments
    pattern = asked.get("referralPattern") or settings.get("couponPattern") or _PATTERN
    characters = asked.get("validCharacters") or settings.get("validCharacters") or _CHARACTERS
    application = campaign["applicationId"]
    return draw_free(
        call.random,
        pattern,
        characters,
        lambda code: find_referral(call.store, application, code) is None,
        at="/referralPattern",
    )


# --- Using ---------------------------------------------------------------------------------------


def rejection(call: SandboxCall, referral: Document | None, friend: str) -> str | None:
    """Return why a customer cannot use a referral now, as in `rejectReferral`, or None.

    https://docs.talon.one/docs/dev/integration-api/api-effects: rejectReferral.

    Args:
        call: the request, of the Integration API.
        referral: what the code stands for; None when it stands for nothing.
        friend: who would use it; "" for an unknown customer.
    """
    if referral is None:
        return "ReferralNotFound"
    at = stamp(call.now)
    advocate = referral["advocateProfileIntegrationId"]
    campaign = call.store.get("campaigns", referral["campaignId"]) or {}
    reasons = {
        "ReferralStartDateInFuture": referral.get("startDate", at) > at,
        "ReferralExpired": referral.get("expiryDate", "9999") <= at,
        "ReferralPartOfNotRunningCampaign": frontend_state(campaign, call.now) != "running",
        "AdvocateNotFound": find_profile(call.store, advocate) is None,
        "ReferralRecipientIdSameAsAdvocate": friend == advocate,
        "ReferralRecipientDoesNotMatch": (
            referral.get("friendProfileIntegrationId", friend) != friend
        ),
        "ReferralLimitReached": 0 < referral["usageLimit"] <= referral["usageCounter"],
        "ReferralCustomerAlreadyReferred": _was_referred(call, campaign["applicationId"], friend),
        "CampaignLimitReached": _is_at_limit(campaign),
        "ReferralRejectedByCondition": not friend,  # nobody is nobody's friend
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _was_referred(call: SandboxCall, application: int, friend: str) -> bool:
    where = (equal("applicationId", application), equal("friendIntegrationId", friend))
    return call.store.count("referred_friends", *where) > 0


def _is_at_limit(campaign: Document) -> bool:
    return any(
        limit["action"] == "redeemReferral" and used_of_limit(campaign, limit) >= limit["limit"]
        for limit in campaign["limits"]
    )


def redeem(call: SandboxCall, referral: Document, friend: str, session: str) -> Document:
    """Redeem a referral that `rejection` allows, and return the record of its use.

    Args:
        call: the request, of the Integration API.
        referral: what is used.
        friend: who uses it, a customer's integration id.
        session: the integration id of the session in which they do.
    """
    campaign = call.store.get("campaigns", referral["campaignId"]) or {}
    application = campaign["applicationId"]
    use = {
        "created": stamp(call.now),
        "applicationId": application,
        "sessionId": session,
        "advocateIntegrationId": referral["advocateProfileIntegrationId"],
        "friendIntegrationId": friend,
        "code": referral["code"],
        "referralId": referral["id"],
    }
    profile_of(call, friend)
    _count_use(call.store, referral, 1)
    _enter_advocate(call.store, application, friend, use["advocateIntegrationId"])
    return call.store.add("referred_friends", use)


def unredeem(call: SandboxCall, application: int, session: str) -> None:
    """Undo the referrals of a cancelled session."""
    where = (equal("applicationId", application), equal("sessionId", session))
    for use in call.store.select("referred_friends", *where):
        referral = call.store.get("referrals", use["referralId"])
        if referral:
            _count_use(call.store, referral, -1)
        _enter_advocate(call.store, application, use["friendIntegrationId"], None)
        call.store.delete("referred_friends", use["id"])


def _count_use(store: DocumentStore, referral: Document, change: int) -> None:
    counter = max(referral["usageCounter"] + change, 0)
    store.replace("referrals", referral | {"usageCounter": counter})
    add_to_counters(store, referral["campaignId"], referralRedemptionCount=change)


def _enter_advocate(
    store: DocumentStore, application: int, friend: str, advocate: str | None
) -> None:
    """Store in the friend's record who referred them."""
    meeting = meeting_with(store, application, friend)
    if meeting:
        store.replace("application_customers", meeting | {"advocateIntegrationId": advocate})


def referrals_of(store: DocumentStore, application: int, advocate: str) -> list[Document]:
    """Return a customer's referrals of an Application, each with the friends who have used it."""
    campaigns = store.select("campaigns", parent=application)
    own = having_parent(each["id"] for each in campaigns)
    return [
        each | {"referredCustomers": _friends(store, each["id"])}
        for each in store.select("referrals", equal("advocateProfileIntegrationId", advocate), own)
    ]


def _friends(store: DocumentStore, referral: int) -> list[str]:
    uses = store.select("referred_friends", equal("referralId", referral))
    return [each["friendIntegrationId"] for each in uses]


HANDLERS: Mapping[str, Handler] = {
    "create_referral": create_referral,
    "create_referrals_for_advocates": create_referrals_for_advocates,
}
