"""The longer ways to a customer: over a card, over a coupon, over a part of their name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.code_search import NEEDED, Hit, Place, found, read_coupons
from talonone_mcp.workflows.customer.find_customer.customer_inquiry import (
    Inquiry,
    read_account,
    search_profiles,
)
from talonone_mcp.workflows.steps import together

_CARD = range(4, 109)  # characters of a card's identifier
_CODE = range(1, 101)  # and of a coupon's code
_REPORTED = timedelta(days=365)
_FEWEST = 3  # characters of a part of a name
_PAGE = 50
_REDEEMED = ("closed", "partially_returned")  # the states of sessions that used their codes
_OF_A_CARD = ("identifier", "status", "newCardIdentifier", "oldCardIdentifier")
_OF_A_COUPON = ("value", "campaignId", "usageCounter")


async def by_belongings(inquiry: Inquiry, by: str | None) -> None:
    """Find the customers of a card, and those that a coupon is for, or who used it.

    Args:
        inquiry: who is looked for.
        by: "card" or "coupon"; None for both.
    """
    if inquiry.places is None:
        await read_account(inquiry)
    places = inquiry.places or ([inquiry.place] if inquiry.place else [])
    ways = []
    if by != "coupon" and len(inquiry.text) in _CARD:
        for program, title in inquiry.programs.items():
            ways.append((f"card of {title or program}", partial(_card, inquiry, program)))
    if by != "card" and len(inquiry.text) in _CODE:
        for place in places:
            ways.append((f"coupon in {place.name or place.id}", partial(_coupon, inquiry, place)))
    inquiry.skipped += [name for name, _ in ways[inquiry.left :]]
    chosen = ways[: inquiry.left]
    inquiry.left -= len(chosen)  # before any of them may take another
    await together(*(way for _, way in chosen))
    unnamed = [name for name, person in inquiry.people.items() if "id" not in person]
    if unnamed and inquiry.left:
        await search_profiles(inquiry, "", integrationIDs=unnamed, anywhere=True)


async def _card(inquiry: Inquiry, program: int) -> None:
    """Find the customers of a card, or of the one that replaced it."""
    card = await _read_card(inquiry, program, inquiry.text)
    if card is None:
        return
    title = inquiry.programs.get(program, "")
    facts = {key: card[key] for key in _OF_A_CARD if key in card}
    inquiry.through.append({"loyaltyProgramId": program, "program": title} | facts)
    for profile in card.get("profiles", ()):
        inquiry.meet("card", {"integrationId": profile.get("integrationId")})
    replaced = card.get("newCardIdentifier")
    if replaced and not card.get("profiles") and inquiry.left:
        inquiry.left -= 1
        new = await _read_card(inquiry, program, replaced)
        for profile in (new or {}).get("profiles", ()):
            inquiry.meet("replaced card", {"integrationId": profile.get("integrationId")})


async def _read_card(inquiry: Inquiry, program: int, identifier: str) -> dict[str, Any] | None:
    what = f"the cards of loyalty program {program}"
    place = {"loyaltyProgramId": program, "loyaltyCardId": identifier}
    try:
        card = await inquiry.steps.attempt(what, "get_loyalty_card", unless=NEEDED, **place)
    except CallError as error:
        if error.kind not in ("not_found", "invalid_arguments"):
            raise
        inquiry.is_tried("card")
        return None
    if card is not None:
        inquiry.is_tried("card")
    return card


async def _coupon(inquiry: Inquiry, place: Place) -> None:
    """Find the customer that a coupon is for; or else, who used it, or has it reserved."""
    coupons = await read_coupons(inquiry.steps, place.id, inquiry.text)
    searched = found(place, inquiry.text, coupons)
    if searched.failed:
        return
    inquiry.is_tried("coupon")
    if searched.hit is None:
        return
    coupon = searched.hit.coupon
    facts = {key: coupon[key] for key in _OF_A_COUPON if key in coupon}
    inquiry.through.append({"applicationId": place.id, "application": place.name} | facts)
    recipient = coupon.get("recipientIntegrationId")
    if recipient:
        inquiry.meet("coupon's recipient", {"integrationId": recipient})
        inquiry.know(place, recipient)
    elif coupon.get("usageCounter"):
        await _redeemers(inquiry, place, coupon)
    if coupon.get("reservationCounter") and not recipient:
        await _holders(inquiry, searched.hit)


async def _redeemers(inquiry: Inquiry, place: Place, coupon: Mapping[str, Any]) -> None:
    if not inquiry.left:
        inquiry.skipped.append("who redeemed the coupon")
        return
    answer = await inquiry.read(
        "who redeemed the coupon",
        "list_application_sessions",
        applicationId=place.id,
        coupon=coupon["value"],
        pageSize=_PAGE,
    )
    for session in (answer or {}).get("data", ()):
        customer = session.get("profileintegrationid")
        if session.get("state") in _REDEEMED:
            inquiry.meet("coupon redeemed", {"integrationId": customer})
            inquiry.know(place, customer)


async def _holders(inquiry: Inquiry, hit: Hit) -> None:
    what, steps = "who has the coupon reserved", inquiry.steps
    if not inquiry.left:
        inquiry.skipped.append(what)
        return
    inquiry.left -= 1
    answer = await steps.attempt(
        what,
        "list_coupon_reservations",
        applicationId=hit.place.id if steps.applications else None,
        couponValue=hit.coupon["value"],
    )
    holders = (answer or {}).get("data", ())
    if steps.applications or len(holders) == hit.coupon["reservationCounter"]:
        for profile in holders:
            inquiry.meet("coupon reserved", profile)


async def by_part_of_name(inquiry: Inquiry) -> None:
    """Find customers whose name holds what was given, among those that reports name."""
    text = inquiry.text
    if len(text) < _FEWEST or any(each.isdigit() for each in text):
        return
    if inquiry.places is None and inquiry.left:
        await read_account(inquiry)
    places = inquiry.places or ([inquiry.place] if inquiry.place else [])
    inquiry.skipped += [f"names in {each.name or each.id}" for each in places[inquiry.left :]]
    await together(*(partial(_reported, inquiry, place) for place in places[: inquiry.left]))


async def _reported(inquiry: Inquiry, place: Place) -> None:
    now = inquiry.steps.now
    answer = await inquiry.read(
        f"the names of customers in Application {place.id}",
        "list_customer_activity_reports",
        applicationId=place.id,
        rangeStart=(now - _REPORTED).isoformat(),
        rangeEnd=now.isoformat(),
        name=inquiry.text,
        pageSize=_PAGE,
    )
    if answer is None:
        return
    inquiry.is_tried("part of name")
    inquiry.uncounted |= bool(answer.get("hasMore"))
    for report in answer.get("data", ()):
        profile = {"integrationId": report.get("integrationId"), "id": report.get("customerId")}
        profile |= {"attributes": {"Name": report.get("name")}}
        inquiry.meet("part of name", profile | {"lastActivity": report.get("lastActivity")})
        inquiry.know(place, report.get("integrationId"))
