"""Coupons: codes from patterns, limits, validity, batches, and the jobs on them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.campaigns import in_state
from talonone_mcp.sandbox.handling import (
    Call,
    Handler,
    Reply,
    UpstreamError,
    contains,
    has_attributes,
    moment,
    page,
    stamp,
    within,
)
from talonone_mcp.sandbox.store import Document, Store

# https://docs.talon.one/management-api: createCoupons
_MOST, _MOST_WITH_PREFIX = 20_000, 200_000
# Upstream's jobs create up to 5,000,000; the sandbox runs them at once and in memory.
_MOST_IN_SANDBOX_JOB = 500_000
_CHARACTERS = list(string.ascii_uppercase + string.digits)
_PATTERN = "########"
_ATTEMPTS = 20  # draws for one code before the pattern counts as used up

# Properties of the request that a new coupon takes over as they are
_TAKEN = ("usageLimit", "discountLimit", "reservationLimit", "startDate", "expiryDate", "limits",
          "isReservationMandatory", "implicitlyReserved", "recipientIntegrationId")  # fmt: skip


def label(application: int, code: str) -> str:
    """Return what a coupon is found by: codes are unique in an Application, whatever their case."""
    return f"{application}/{code.upper()}"


def new_coupon(
    store: Store, campaign: Document, code: str, settings: Mapping[str, Any]
) -> Document:
    """Store one coupon.

    Args:
        store: where to.
        campaign: what it belongs to.
        code: a code that the Application does not have yet.
        settings: properties as the API names them, `created` at least; the others have defaults.
    """
    coupon = {
        "campaignId": campaign["id"],
        "value": code,
        "usageLimit": 1,
        "usageCounter": 0,
        "reservationCounter": 0,
        "reservation": True,
        "isReservationMandatory": False,
        "implicitlyReserved": False,
        "attributes": {},
        **settings,
    }
    if "discountLimit" in coupon:
        coupon.setdefault("discountCounter", 0)
        coupon["discountRemainder"] = coupon["discountLimit"] - coupon["discountCounter"]
    found_by = label(campaign["applicationId"], code)
    return store.add("coupons", coupon, parent=campaign["id"], label=found_by)


# --- Creating ----------------------------------------------------------------------------------


def create_coupons(call: Call) -> Reply:
    asked = call.arguments
    most = _MOST_WITH_PREFIX if asked.get("uniquePrefix") else _MOST
    if not 1 <= asked["numberOfCoupons"] <= most:
        raise UpstreamError(400, f"must be between 1 and {most}", pointer="/numberOfCoupons")
    return _created(call, _issue(call, [{}] * asked["numberOfCoupons"], asked))


def create_coupons_for_recipients(call: Call) -> Reply:
    recipients = call.arguments["recipientsIntegrationIds"]
    each = [{"recipientIntegrationId": recipient} for recipient in recipients]
    return _created(call, _issue(call, each, call.arguments))


def create_coupons_async(call: Call) -> Reply:
    count = call.arguments["numberOfCoupons"]
    if count > _MOST_IN_SANDBOX_JOB:
        raise UpstreamError(
            400, f"the sandbox creates at most {_MOST_IN_SANDBOX_JOB}", pointer="/numberOfCoupons"
        )
    pattern = call.arguments.get("couponSettings", {})
    coupons = _issue(call, [{}] * count, {**call.arguments, **pattern})
    return 200, {"batchId": coupons[0]["batchId"]}


def _created(call: Call, coupons: list[Document]) -> Reply:
    if call.arguments.get("silent", "yes") != "no":
        return 204, None
    return 200, {"totalResultSize": len(coupons), "data": coupons}


def _issue(
    call: Call, each: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]
) -> list[Document]:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    _check_dates(asked)
    common = {key: asked[key] for key in _TAKEN if key in asked}
    common |= {
        "created": stamp(call.now),
        "attributes": asked.get("attributes", {}),
        "batchId": new_batch(call),
    }
    return [
        new_coupon(call.store, campaign, _code(call, campaign, asked), {**common, **own})
        for own in each
    ]


def _check_dates(document: Mapping[str, Any]) -> None:
    start, end = document.get("startDate"), document.get("expiryDate")
    if start and end and moment(end) <= moment(start):
        raise UpstreamError(400, "expiryDate must be after startDate", pointer="/expiryDate")


def new_batch(call: Call) -> str:
    """Draw the id of a batch."""
    return "".join(call.random.choices(string.ascii_lowercase, k=8))


def _code(call: Call, campaign: Document, asked: Mapping[str, Any]) -> str:
    """Draw a code that is not taken."""
    settings = campaign.get("couponSettings", {})
    pattern = asked.get("couponPattern") or settings.get("couponPattern") or _PATTERN
    characters = asked.get("validCharacters") or settings.get("validCharacters") or _CHARACTERS
    for _ in range(_ATTEMPTS):
        drawn = re.sub("#", lambda _: call.random.choice(characters), pattern)
        code = f"{asked.get('uniquePrefix', '')}{drawn}"
        if call.store.find("coupons", label(campaign["applicationId"], code)) is None:
            return code
    raise UpstreamError(400, "the pattern has no more free codes", pointer="/couponPattern")


# --- Finding -----------------------------------------------------------------------------------


def list_coupons(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return _listed(call, call.store.list("coupons", call.arguments["campaignId"]))


def search_coupons(call: Call) -> Reply:
    return _listed(call, of_application(call))


def of_application(call: Call) -> list[Document]:
    """Return the coupons of an Application that campaignId and campaignState let through."""
    call.get("applications", "applicationId")
    return [
        coupon
        for campaign in call.store.list("campaigns", call.arguments["applicationId"])
        if in_state(campaign, call, call.arguments.get("campaignState"))
        and call.arguments.get("campaignId") in (None, campaign["id"])
        for coupon in call.store.list("coupons", campaign["id"])
    ]


def _listed(call: Call, coupons: list[Document]) -> Reply:
    found = page(call, [c for c in coupons if matches(c, call.arguments, call.now)], total=False)
    if call.arguments.get("valuesOnly"):
        found["data"] = [{"value": coupon["value"]} for coupon in found["data"]]
    return 200, found


def matches(coupon: Document, asked: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether a coupon passes every documented filter among the arguments."""
    return (
        _has_code(coupon, asked)
        and asked.get("recipientIntegrationId") in (None, coupon.get("recipientIntegrationId"))
        and asked.get("batchId") in (None, coupon.get("batchId"))
        and asked.get("referralId") in (None, coupon.get("referralId"))
        and asked.get("valid") in (None, validity(coupon, now))
        and _is(asked.get("usable"), has_uses_left(coupon))
        and _is(asked.get("redeemed"), coupon["usageCounter"] > 0)
        and within(coupon, "created", asked.get("createdAfter"), asked.get("createdBefore"))
        and within(coupon, "startDate", asked.get("startsAfter"), asked.get("startsBefore"))
        and within(coupon, "expiryDate", asked.get("expiresAfter"), asked.get("expiresBefore"))
        and has_attributes(coupon, asked.get("attributes", {}))
    )


def _has_code(coupon: Document, asked: Mapping[str, Any]) -> bool:
    code: str = coupon["value"]
    part: str | None = asked.get("value")
    if part is None:
        return True
    if asked.get("exactMatch"):
        return code.casefold() == part.casefold()
    return contains(_folded(code), _folded(part))


def _folded(code: str) -> str:
    return "".join(filter(str.isalnum, code))


def validity(coupon: Document, now: datetime) -> str:
    """Return which value of the filter `valid` a coupon answers to."""
    if coupon.get("expiryDate") and moment(coupon["expiryDate"]) <= now:
        return "expired"
    if coupon.get("startDate") and moment(coupon["startDate"]) > now:
        return "validFuture"
    return "validNow"


def has_uses_left(coupon: Document) -> bool:
    """Tell whether a coupon may be redeemed once more; a limit of 0 is none."""
    return not coupon["usageLimit"] or bool(coupon["usageCounter"] < coupon["usageLimit"])


def _is(asked: str | bool | None, actual: bool) -> bool:
    """Compare with a filter that is a boolean, or the word for one."""
    return asked is None or str(asked).lower() == str(actual).lower()


# --- Changing and deleting ---------------------------------------------------------------------

_CLEARED = ("startDate", "expiryDate")


def update_coupon(call: Call) -> Reply:
    coupon = _coupon(call)
    return 200, _change(call, coupon, cleared=(*_CLEARED, "recipientIntegrationId"))


def update_coupons(call: Call) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    for coupon in call.store.list("coupons", call.arguments["campaignId"]):
        if call.arguments.get("batchID") in (None, coupon.get("batchId")):
            _change(call, coupon, cleared=_CLEARED)
    return 204, None


def _change(call: Call, coupon: Document, *, cleared: Sequence[str]) -> Document:
    """Change a coupon as a PUT does: `cleared` are the properties that go unless they are given."""
    asked = call.arguments
    _check_dates(asked)
    changed = {key: value for key, value in coupon.items() if key not in cleared}
    changed |= {key: asked[key] for key in (*_TAKEN, "attributes") if key in asked}
    if "discountLimit" in changed:
        changed["discountRemainder"] = changed["discountLimit"] - changed.get("discountCounter", 0)
    return call.store.replace("coupons", changed)


def _coupon(call: Call) -> Document:
    call.get("campaigns", "campaignId", parent="applicationId")
    return call.get("coupons", "couponId", parent="campaignId")


def delete_coupon(call: Call) -> Reply:
    call.store.delete("coupons", _coupon(call)["id"])
    return 204, None


def delete_coupons(call: Call) -> Reply:
    _delete_matching(call, call.arguments)
    return 204, None


def create_coupon_deletion_job(call: Call) -> Reply:
    _delete_matching(call, call.arguments["filters"])
    job = call.store.add("coupon_deletion_jobs", {"filters": call.arguments["filters"]})
    return 202, {"id": job["id"]}


def _delete_matching(call: Call, filters: Mapping[str, Any]) -> None:
    call.get("campaigns", "campaignId", parent="applicationId")
    for coupon in call.store.list("coupons", call.arguments["campaignId"]):
        if matches(coupon, filters, call.now):
            call.store.delete("coupons", coupon["id"])


HANDLERS: Mapping[str, Handler] = {
    "create_coupons": create_coupons,
    "create_coupons_for_recipients": create_coupons_for_recipients,
    "create_coupons_async": create_coupons_async,
    "list_coupons": list_coupons,
    "search_campaign_coupons": list_coupons,  # the attributes are one more filter
    "search_coupons": search_coupons,
    "update_coupon": update_coupon,
    "update_coupons": update_coupons,
    "delete_coupon": delete_coupon,
    "delete_coupons": delete_coupons,
    "create_coupon_deletion_job": create_coupon_deletion_job,
}
