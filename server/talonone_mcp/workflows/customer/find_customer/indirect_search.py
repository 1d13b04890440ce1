"""The longer ways to a customer: by a card, by a coupon, or by part of a name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, cast

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.answer_format import picked
from talonone_mcp.workflows.code_search import FATAL, Hit, NamedApplication, matched, read_coupons
from talonone_mcp.workflows.customer.find_customer.customer_inquiry import (
    Findings,
    Inquiry,
    Sighting,
    added_up,
    read_account,
    search_profiles,
    searchable,
    sighting,
)
from talonone_mcp.workflows.steps import together
from talonone_mcp.workflows.upstream_types import Coupon, CustomerProfile, LoyaltyCard

_CARD_CHARS = range(4, 109)
_CODE_CHARS = range(1, 101)
_REPORTED = timedelta(days=365)
_MIN_NAME_CHARS = 3  # of a part of a name
_PAGE_SIZE = 50
_REDEEMED = ("closed", "partially_returned")  # the states of sessions that used their codes
_OF_A_CARD = ("identifier", "status", "newCardIdentifier", "oldCardIdentifier")
_OF_A_COUPON = ("value", "campaignId", "usageCounter")

_Way = tuple[str, Callable[[], Awaitable[Findings]]]


async def by_belongings(inquiry: Inquiry, by: str | None, found: Findings) -> Findings:
    """Return findings with the customers of a card, and those of a coupon.

    A coupon's customers are whoever it is for or, failing that, whoever redeemed or reserved it.

    Args:
        inquiry: what is asked.
        by: "card" or "coupon"; None for both.
        found: what was found before.
    """
    if found.account is None:
        found += await read_account(inquiry)
    ways, allowance = _ways_to_belongings(inquiry, by, found), inquiry.allowance
    left_out = Findings(skipped=tuple(name for name, _ in ways[allowance.left :]))
    chosen = ways[: allowance.left]
    allowance.take(len(chosen))  # before any of them can take another
    found += left_out + added_up(await together(*(way for _, way in chosen)))
    unnamed = [name for name, person in found.people.items() if "id" not in person]
    if unnamed and allowance.left:
        found += await search_profiles(inquiry, "", integrationIDs=unnamed, anywhere=True)
    return found


def _ways_to_belongings(inquiry: Inquiry, by: str | None, found: Findings) -> list[_Way]:
    """Return the searches that the text is long enough for, with what each looks for."""
    ways: list[_Way] = []
    if by != "coupon" and len(inquiry.text) in _CARD_CHARS:
        programs = found.account.card_programs if found.account else {}
        for program, title in programs.items():
            ways.append((f"card of {title or program}", partial(_card, inquiry, program, title)))
    if by != "card" and len(inquiry.text) in _CODE_CHARS:
        for each in searchable(inquiry, found):
            ways.append((f"coupon in {each.name or each.id}", partial(_coupon, inquiry, each)))
    return ways


async def _card(inquiry: Inquiry, program: int, title: str) -> Findings:
    """Find the customers of a card, or of the one that replaced it."""
    card, found = await _read_card(inquiry, program, inquiry.text)
    if card is None:
        return found
    through = {"loyaltyProgramId": program, "program": title} | picked(card, _OF_A_CARD)
    found += Findings(_holders_of(card, "card"), through=(through,))
    replaced = card.get("newCardIdentifier")
    if replaced and not card.get("profiles") and inquiry.allowance.left:
        inquiry.allowance.take()
        new, tried = await _read_card(inquiry, program, replaced)
        found += tried + Findings(_holders_of(new or {}, "replaced card"))
    return found


def _holders_of(card: LoyaltyCard, way: str) -> tuple[Sighting, ...]:
    return tuple(
        each
        for profile in card.get("profiles", ())
        for each in sighting(way, CustomerProfile(integrationId=profile.get("integrationId", "")))
    )


async def _read_card(
    inquiry: Inquiry, program: int, identifier: str
) -> tuple[LoyaltyCard | None, Findings]:
    """Return a card, and whether cards were tried: None if there is none, or it cannot be read."""
    what = f"the cards of loyalty program {program}"
    which = {"loyaltyProgramId": program, "loyaltyCardId": identifier}
    tried = Findings(tried=("card",))
    try:
        card = await inquiry.steps.attempt(what, "get_loyalty_card", unless=FATAL, **which)
    except CallError as error:
        if error.kind not in ("not_found", "invalid_arguments"):
            raise
        return None, tried
    return cast("LoyaltyCard | None", card), Findings() if card is None else tried


async def _coupon(inquiry: Inquiry, application: NamedApplication) -> Findings:
    """Find the customer that a coupon is for; or else, who redeemed it, or has it reserved."""
    coupons = await read_coupons(inquiry.steps, application.id, inquiry.text)
    searched = matched(application, inquiry.text, coupons)
    if searched.failed:
        return Findings()
    found = Findings(tried=("coupon",))
    if searched.hit is None:
        return found
    coupon = searched.hit.coupon
    where = {"applicationId": application.id, "application": application.name}
    found += Findings(through=(where | picked(coupon, _OF_A_COUPON),))
    recipient = coupon.get("recipientIntegrationId")
    if recipient:
        profile = CustomerProfile(integrationId=recipient)
        return found + Findings(sighting("coupon's recipient", profile, application))
    if coupon.get("usageCounter"):
        found += await _redeemers(inquiry, application, coupon)
    if coupon.get("reservationCounter"):
        found += await _holders(inquiry, searched.hit)
    return found


async def _redeemers(inquiry: Inquiry, application: NamedApplication, coupon: Coupon) -> Findings:
    what = "who redeemed the coupon"
    if not inquiry.allowance.left:
        return Findings(skipped=(what,))
    answer = await inquiry.read(
        what,
        "list_application_sessions",
        applicationId=application.id,
        coupon=coupon["value"],
        pageSize=_PAGE_SIZE,
    )
    return Findings(
        tuple(
            each
            for session in (answer or {}).get("data", ())
            if session.get("state") in _REDEEMED
            for each in sighting(
                "coupon redeemed",
                CustomerProfile(integrationId=session.get("profileintegrationid", "")),
                application,
            )
        )
    )


async def _holders(inquiry: Inquiry, hit: Hit) -> Findings:
    what, steps = "who has the coupon reserved", inquiry.steps
    if not inquiry.allowance.left:
        return Findings(skipped=(what,))
    inquiry.allowance.take()
    answer = await steps.attempt(
        what,
        "list_coupon_reservations",
        applicationId=hit.application.id if steps.applications else None,
        couponValue=hit.coupon["value"],
    )
    holders: list[CustomerProfile] = (answer or {}).get("data", [])
    if not steps.applications and len(holders) != hit.coupon["reservationCounter"]:
        return Findings()  # the key may be another Application's
    return Findings(
        tuple(each for holder in holders for each in sighting("coupon reserved", holder))
    )


async def by_part_of_name(inquiry: Inquiry, found: Findings) -> Findings:
    """Return findings with the customers in activity reports whose name contains the text."""
    text, allowance = inquiry.text, inquiry.allowance
    if len(text) < _MIN_NAME_CHARS or any(each.isdigit() for each in text):
        return found
    if found.account is None and allowance.left:
        found += await read_account(inquiry)
    applications = searchable(inquiry, found)
    skipped = tuple(f"names in {each.name or each.id}" for each in applications[allowance.left :])
    reported = await together(
        *(partial(_reported, inquiry, each) for each in applications[: allowance.left])
    )
    return found + Findings(skipped=skipped) + added_up(reported)


async def _reported(inquiry: Inquiry, application: NamedApplication) -> Findings:
    now = inquiry.steps.now
    answer = await inquiry.read(
        f"the names of customers in Application {application.id}",
        "list_customer_activity_reports",
        applicationId=application.id,
        rangeStart=(now - _REPORTED).isoformat(),
        rangeEnd=now.isoformat(),
        name=inquiry.text,
        pageSize=_PAGE_SIZE,
    )
    if answer is None:
        return Findings()
    return Findings(
        tuple(
            each
            for report in answer.get("data", ())
            for each in sighting("part of name", _profile_in(report), application)
        ),
        tried=("part of name",),
        uncounted=bool(answer.get("hasMore")),
    )


def _profile_in(report: Mapping[str, Any]) -> CustomerProfile:
    """Return the customer of an activity report, as a profile."""
    profile = {
        "integrationId": report.get("integrationId"),
        "id": report.get("customerId"),
        "attributes": {"Name": report.get("name")},
        "lastActivity": report.get("lastActivity"),
    }
    return cast("CustomerProfile", profile)
