"""Coupons: created, found, changed and deleted."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import add_to_counters, in_state
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.codes.code_validity import check_dates, has_uses_left, is_valid
from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    column,
    equal,
    has_attributes,
    having_parent,
    is_true,
    whether,
    within,
)
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.code_patterns import draw_free, new_batch
from talonone_mcp.sandbox.handling.pages import page

# https://docs.talon.one/management-api: createCoupons
_MOST, _MOST_WITH_PREFIX = 20_000, 200_000
_CHARACTERS = list(string.ascii_uppercase + string.digits)
_PATTERN = "########"

# Properties of the request that a new coupon takes over as they are
_TAKEN = ("usageLimit", "discountLimit", "reservationLimit", "startDate", "expiryDate", "limits",
          "isReservationMandatory", "implicitlyReserved", "recipientIntegrationId")  # fmt: skip


def code_label(application: int, code: str) -> str:
    """Return a coupon's label: codes are unique within an Application, ignoring case."""
    return f"{application}/{code.upper()}"


def new_coupon(
    store: DocumentStore, campaign: Document, code: str, settings: Mapping[str, Any]
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
    found_by = code_label(campaign["applicationId"], code)
    return store.add("coupons", coupon, parent=campaign["id"], label=found_by)


# --- Creating ----------------------------------------------------------------------------------


def create_coupons(call: SandboxCall) -> Reply:
    asked = call.arguments
    most = _MOST_WITH_PREFIX if asked.get("uniquePrefix") else _MOST
    if not 1 <= asked["numberOfCoupons"] <= most:
        raise RefusalError(400, f"must be between 1 and {most}", pointer="/numberOfCoupons")
    return _created(call, _issue(call, [{}] * asked["numberOfCoupons"], asked))


def create_coupons_for_recipients(call: SandboxCall) -> Reply:
    recipients = call.arguments["recipientsIntegrationIds"]
    each = [{"recipientIntegrationId": recipient} for recipient in recipients]
    return _created(call, _issue(call, each, call.arguments))


def _created(call: SandboxCall, coupons: list[Document]) -> Reply:
    if call.arguments.get("silent", "yes") != "no":
        return 204, None
    return 200, {"totalResultSize": len(coupons), "data": coupons}


def _issue(
    call: SandboxCall, each: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]
) -> list[Document]:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    common = settings_of(call, asked)
    issued = [
        new_coupon(call.store, campaign, new_code(call, campaign, asked), {**common, **own})
        for own in each
    ]
    add_to_counters(call.store, campaign["id"], couponCreationCount=len(issued))
    return issued


def settings_of(call: SandboxCall, asked: Mapping[str, Any]) -> Document:
    """Return the properties that all coupons of one request share.

    Raises:
        RefusalError: 400, when they would end before they start, or have invalid attributes.
    """
    check_dates(asked)
    attributes.check(call, "Coupon", asked.get("attributes"))
    return {key: asked[key] for key in _TAKEN if key in asked} | {
        "created": stamp(call.now),
        "attributes": asked.get("attributes", {}),
        "batchId": new_batch(call),
    }


def new_code(call: SandboxCall, campaign: Document, asked: Mapping[str, Any]) -> str:
    """Return an unused random code from the request's pattern or the campaign's.

    Raises:
        RefusalError: 400, when the pattern has no free code.
    """
    settings = campaign.get("couponSettings", {})
    pattern = asked.get("couponPattern") or settings.get("couponPattern") or _PATTERN
    characters = asked.get("validCharacters") or settings.get("validCharacters") or _CHARACTERS
    prefix = asked.get("uniquePrefix", "")
    drawn = draw_free(
        call.random,
        pattern,
        characters,
        lambda code: not _is_taken(call.store, campaign, f"{prefix}{code}"),
    )
    return f"{prefix}{drawn}"


def _is_taken(store: DocumentStore, campaign: Document, code: str) -> bool:
    return store.find("coupons", code_label(campaign["applicationId"], code)) is not None


# --- Finding -----------------------------------------------------------------------------------


def list_coupons(call: SandboxCall) -> Reply:
    call.get("campaigns", "campaignId", parent="applicationId")
    return _listed(
        call, coupon_filters(call.arguments, call.now), parent=call.arguments["campaignId"]
    )


def search_coupons(call: SandboxCall) -> Reply:
    return _listed(call, [of_application(call), *coupon_filters(call.arguments, call.now)])


def of_application(call: SandboxCall) -> Where:
    """Match an Application's coupons by campaignId and campaignState.

    Raises:
        RefusalError: 404, when there is no such Application.
    """
    asked = call.arguments
    application = call.get("applications", "applicationId")
    state = in_state(asked.get("campaignState"), call.now)
    campaigns = call.store.select("campaigns", state, parent=application["id"])
    wanted = (None, asked.get("campaignId"))
    return having_parent(each["id"] for each in campaigns if wanted[1] in (None, each["id"]))


def _listed(call: SandboxCall, where: Sequence[Where], parent: int | None = None) -> Reply:
    present = _value_alone if call.arguments.get("valuesOnly") else None
    return 200, page(call, "coupons", *where, parent=parent, total=False, present=present)


def _value_alone(coupon: Document) -> Document:
    return {"value": coupon["value"]}


def coupon_filters(asked: Mapping[str, Any], now: datetime) -> list[Where]:
    """Return the conditions for every documented filter of coupons among the arguments."""
    return [
        _has_code(asked),
        equal("recipientIntegrationId", asked.get("recipientIntegrationId")),
        equal("batchId", asked.get("batchId")),
        equal("referralId", asked.get("referralId")),
        is_valid(asked.get("valid"), now),
        has_uses_left(asked.get("usable")),
        whether(_IS_REDEEMED, asked.get("redeemed")),
        within("created", asked.get("createdAfter"), asked.get("createdBefore")),
        within("startDate", asked.get("startsAfter"), asked.get("startsBefore")),
        within("expiryDate", asked.get("expiresAfter"), asked.get("expiresBefore")),
        has_attributes(asked.get("attributes")),
    ]


_IS_REDEEMED = Condition(f"{column('usageCounter')} > 0")


def _has_code(asked: Mapping[str, Any]) -> Where:
    part: str | None = asked.get("value")
    if part is None:
        return None
    if is_true(asked.get("exactMatch")):
        return Condition("substr(label, instr(label, '/') + 1) = ?", (part.upper(),))
    return Condition(f"instr(code({column('value')}), code(?)) > 0", (part,))


# --- Changing and deleting ---------------------------------------------------------------------

_CLEARED = ("startDate", "expiryDate")


def update_coupon(call: SandboxCall) -> Reply:
    coupon = _coupon(call)
    return 200, _change(call, coupon, cleared=(*_CLEARED, "recipientIntegrationId"))


def update_coupons(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    batch = equal("batchId", call.arguments.get("batchID"))
    for coupon in call.store.each("coupons", batch, parent=campaign["id"]):
        _change(call, coupon, cleared=_CLEARED)
    return 204, None


def _change(call: SandboxCall, coupon: Document, *, cleared: Sequence[str]) -> Document:
    """Change a coupon as a PUT does: it removes `cleared` properties that are not given."""
    asked = call.arguments
    check_dates(asked)
    attributes.check(call, "Coupon", asked.get("attributes"))
    changed = {key: value for key, value in coupon.items() if key not in cleared}
    changed |= {key: asked[key] for key in (*_TAKEN, "attributes") if key in asked}
    if "discountLimit" in changed:
        changed["discountRemainder"] = changed["discountLimit"] - changed.get("discountCounter", 0)
    return call.store.replace("coupons", changed)


def _coupon(call: SandboxCall) -> Document:
    call.get("campaigns", "campaignId", parent="applicationId")
    return call.get("coupons", "couponId", parent="campaignId")


def delete_coupon(call: SandboxCall) -> Reply:
    call.store.delete("coupons", _coupon(call)["id"])
    return 204, None


def delete_coupons(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    call.store.delete_where(
        "coupons", *coupon_filters(call.arguments, call.now), parent=campaign["id"]
    )
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "create_coupons": create_coupons,
    "create_coupons_for_recipients": create_coupons_for_recipients,
    "list_coupons": list_coupons,
    "search_campaign_coupons": list_coupons,  # the attributes are one more filter
    "search_coupons": search_coupons,
    "update_coupon": update_coupon,
    "update_coupons": update_coupons,
    "delete_coupon": delete_coupon,
    "delete_coupons": delete_coupons,
}
