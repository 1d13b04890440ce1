"""The route to an account without a key of the Integration API: the Management API alone.

It has no inventory. So this takes several operations, covers one Application and one loyalty
program, and leaves out what would take a request for each campaign or card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from talonone_mcp.workflows.answer_format import text
from talonone_mcp.workflows.customer.investigate_customer.customer_account import (
    CustomerAccount,
    CustomerQuestion,
    no_such_customer,
    read_applications,
    read_done,
    to_search,
)
from talonone_mcp.workflows.customer.investigate_customer.customer_sections import KnownCampaigns
from talonone_mcp.workflows.customer.investigate_customer.loyalty_points import (
    MAX_PROGRAMS,
    LoyaltyLedger,
    from_balances,
)
from talonone_mcp.workflows.obstacles import campaign_obstacles, coupon_obstacles
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import (
    Achievement,
    Application,
    Coupon,
    CustomerProfile,
    Inventory,
    LoyaltyProgram,
)

_MAX_ROWS = 50  # coupons, and achievements
_MAX_TRANSACTIONS = 10
_NO_INVENTORY = {
    "get_customer_inventory": "referrals, giveaways and reserved coupons"
    " (needs an Integration API key)"
}
# The state that get_customer_inventory gives a coupon, by the reasons for it; the first one counts
_STATES = (
    ("disabled", {"campaign_disabled", "campaign_archived", "campaign_expired"}),
    ("pending", {"not_started"}),
    ("used", {"used_up", "discount_used_up"}),
    ("expired", {"expired"}),
)


@dataclass(frozen=True, slots=True)
class _Owned:
    """What a customer has in one Application, and what was not read of it."""

    coupons: Sequence[Coupon] = ()
    achievements: Sequence[Achievement] = ()
    ledgers: Sequence[LoyaltyLedger] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)


async def account_by_management(steps: Steps, question: CustomerQuestion) -> CustomerAccount:
    """Read a customer's account, in at most nine requests.

    Raises:
        CallError: `not_found` if there is no such customer or Application; `not_configured` if
            there is no key of the Management API either.
    """
    if question.application is not None:
        return await _in_one(steps, question, question.application)
    return await _in_any(steps, question)


async def _in_one(steps: Steps, question: CustomerQuestion, application: int) -> CustomerAccount:
    what = "the Application's name and loyalty programs"
    applications = await read_applications(steps, question, what)
    found: list[Any] = await together(
        partial(_find, steps, question.customer, application),
        partial(_read, steps, question.customer, application, applications),
        partial(read_done, steps, question, [application], application),
    )
    profile, owned, (activity, campaigns) = found
    inventory = _inventory(steps, question.customer, profile, owned, campaigns)
    not_read = {**_NO_INVENTORY, **owned.elsewhere}
    return CustomerAccount(inventory, owned.ledgers, applications, campaigns, activity, not_read)


async def _in_any(steps: Steps, question: CustomerQuestion) -> CustomerAccount:
    what = "Applications, and with them codes, points, achievements and sessions"
    applications = await read_applications(steps, question, what)
    profile, is_sandbox = await _search(steps, question.customer)
    same_kind = [each["id"] for each in applications if each.get("sandbox") == is_sandbox]
    chosen, elsewhere = to_search(question, applications, same_kind, 1)
    if len(applications) > len(chosen):
        elsewhere["search_coupons"] = "coupons in other Applications"
    # The second search, among test customers, took the request for the campaigns.
    named = None if is_sandbox else next(iter(chosen), None)
    found: list[Any] = await together(
        partial(read_done, steps, question, chosen, named),
        *(partial(_read, steps, question.customer, each, applications) for each in chosen),
    )
    owned = found[1] if chosen else _Owned()
    activity, campaigns = found[0]
    inventory = _inventory(steps, question.customer, profile, owned, campaigns)
    not_read = {**_NO_INVENTORY, **elsewhere, **owned.elsewhere}
    return CustomerAccount(inventory, owned.ledgers, applications, campaigns, activity, not_read)


def _inventory(
    steps: Steps,
    customer: str,
    profile: CustomerProfile | None,
    owned: _Owned,
    campaigns: KnownCampaigns,
) -> Inventory:
    """Return what was read in the form of get_customer_inventory."""
    inventory = Inventory(
        coupons=[
            {**each, "state": _coupon_state(each, campaigns, customer, steps.now)}
            for each in owned.coupons
        ],
        achievements=owned.achievements,
    )
    return inventory if profile is None else {**inventory, "profile": profile}


async def _find(steps: Steps, customer: str, application: int) -> CustomerProfile | None:
    """Read the profile of a customer of one Application; None if that fails.

    Raises:
        CallError: `not_found`, there is no such customer.
    """
    page = await steps.attempt(
        "profile", "list_application_customers", applicationId=application, integrationId=customer
    )
    return None if page is None else _own_profile(customer, page.get("data", []))


async def _search(steps: Steps, customer: str) -> tuple[CustomerProfile | None, bool]:
    """Read the profile of a live customer or else a test customer; tell whether it is the latter.

    Raises:
        CallError: `not_found`, there is no such customer.
    """
    for is_sandbox in (False, True):
        page = await steps.attempt(
            "profile", "search_customer_profiles", integrationIDs=[customer], sandbox=is_sandbox
        )
        if page is None:
            return None, is_sandbox
        if found := page.get("data"):
            return _own_profile(customer, found), is_sandbox
    raise no_such_customer(customer)


def _own_profile(customer: str, found: Sequence[CustomerProfile]) -> CustomerProfile:
    for each in found:
        if each.get("integrationId") == customer:
            return each
    raise no_such_customer(customer)


async def _read(
    steps: Steps, customer: str, application: int, applications: Sequence[Application]
) -> _Owned:
    """Read coupons and achievements in one Application, and the points in its first program."""
    where = {"applicationId": application, "pageSize": _MAX_ROWS}
    found: list[Any] = await together(
        partial(_rows, steps, "coupons", "search_coupons",
                recipientIntegrationId=customer, **where),
        partial(_rows, steps, "achievements", "list_customer_achievement_progress",
                integrationId=customer, **where),
        partial(_read_points, steps, customer, application, applications),
    )  # fmt: skip
    coupons, achievements, (ledgers, elsewhere) = found
    return _Owned(coupons, achievements, ledgers, elsewhere)


async def _rows(steps: Steps, what: str, name: str, **arguments: Any) -> list[Any]:
    page = await steps.attempt(what, name, **arguments)
    return list((page or {}).get("data", []))


async def _read_points(
    steps: Steps, customer: str, application: int, applications: Sequence[Application]
) -> tuple[list[LoyaltyLedger], Mapping[str, str]]:
    """Read the balances in an Application's first program of profiles, and its transactions.

    Returns:
        The ledger, if there is such a program; and the programs that were not read.
    """
    known = [each for each in applications if each["id"] == application]
    programs = [each for some in known for each in some.get("loyaltyPrograms", [])]
    own = [each for each in programs if not each.get("cardBased")]
    elsewhere = _unread_programs("get_loyalty_ledger_balances", own[1:])
    cards = [each for each in programs if each.get("cardBased")]
    elsewhere |= _unread_programs("list_loyalty_cards", cards)
    if not own:
        return [], elsewhere
    whose: dict[str, Any] = {"loyaltyProgramId": own[0]["id"], "integrationId": customer}
    where = f"in program {own[0]['id']}"
    balances, transactions = await together(
        partial(steps.attempt, f"points {where}", "get_loyalty_ledger_balances",
                includeTiers=True, **whose),
        partial(steps.attempt, f"transactions {where}", "list_loyalty_ledger_transactions",
                pageSize=_MAX_TRANSACTIONS, **whose),
    )  # fmt: skip
    ledger = from_balances(own[0], balances or {}, (transactions or {}).get("data", []))
    return [ledger], elsewhere


def _unread_programs(operation: str, programs: Sequence[LoyaltyProgram]) -> dict[str, str]:
    """Return programs in which a customer may have points that were not read."""
    named = [f"{text(each.get('title', ''))} ({each['id']})" for each in programs[:MAX_PROGRAMS]]
    return {operation: f"points in {', '.join(named)}"} if named else {}


def _coupon_state(coupon: Coupon, campaigns: KnownCampaigns, customer: str, now: datetime) -> str:
    """Return the state that the inventory would give a coupon, if its campaign is known."""
    campaign = campaigns[coupon["campaignId"]]
    obstacles = coupon_obstacles(coupon, customer, now)
    if campaign:
        obstacles += campaign_obstacles(campaign, now)
    reasons = {each.reason for each in obstacles}
    usable = "active" if campaign else "active if its campaign runs"
    return next((name for name, which in _STATES if which & reasons), usable)
