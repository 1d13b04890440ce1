"""A customer as the Management API shows them, where there is no key of the Integration API.

It has no inventory, so that this takes several operations, shows one Application and one loyalty
program, and leaves out what would take a request for each campaign or card.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from talonone_mcp.workflows.customer.investigate_customer.customer_account import (
    Account,
    absent,
    look_into,
    places,
    read_applications,
)
from talonone_mcp.workflows.customer.investigate_customer.customer_sections import (
    PROGRAMS,
    Row,
    text,
)
from talonone_mcp.workflows.customer.investigate_customer.loyalty_points import from_balances
from talonone_mcp.workflows.obstacles import campaign_problems, coupon_problems
from talonone_mcp.workflows.steps import Steps, together

_LISTED = 50
_TRANSACTIONS = 10
_NO_INVENTORY = "referrals, giveaways and reserved coupons (needs an Integration API key)"
# The state that get_customer_inventory gives a coupon, by what stands against it; the first counts
_STATES = (
    ("disabled", {"campaign_disabled", "campaign_archived", "campaign_expired"}),
    ("pending", {"not_started"}),
    ("used", {"used_up", "discount_used_up"}),
    ("expired", {"expired"}),
)


async def managed(steps: Steps, account: Account) -> None:
    """Read what the Management API shows of a customer, in at most nine requests.

    Raises:
        CallError: `not_found`, when there is no such customer or Application; `not_configured`,
            when there is no key of the Management API either.
    """
    account.elsewhere["get_customer_inventory"] = _NO_INVENTORY
    if account.application is not None:
        await read_applications(steps, account, "the Application's name and loyalty programs")
        chosen = [account.application]
        await together(
            partial(_find, steps, account, account.application),
            partial(_read, steps, account, account.application),
            partial(look_into, steps, account, chosen, account.application),
        )
    else:
        what = "Applications, and with them codes, points, achievements and sessions"
        await read_applications(steps, account, what)
        sandbox = await _search(steps, account)
        mine = [each["id"] for each in account.applications if each.get("sandbox") == sandbox]
        chosen = places(account, mine, 1)
        if len(account.applications) > len(chosen):
            account.elsewhere["search_coupons"] = "coupons in other Applications"
        named = None if sandbox else next(iter(chosen), None)  # a second search took its request
        calls = [partial(_read, steps, account, each) for each in chosen]
        await together(partial(look_into, steps, account, chosen, named), *calls)
    _judge_coupons(steps, account)


async def _find(steps: Steps, account: Account, application: int) -> None:
    """Read the profile of a customer of one Application."""
    page = await steps.attempt(
        "profile",
        "list_application_customers",
        applicationId=application,
        integrationId=account.customer,
    )
    if page is not None:
        _keep_profile(account, page.get("data", []))


async def _search(steps: Steps, account: Account) -> bool:
    """Read the profile of a customer of any Application; return whether those are sandboxes."""
    for sandbox in (False, True):
        page = await steps.attempt(
            "profile",
            "search_customer_profiles",
            integrationIDs=[account.customer],
            sandbox=sandbox,
        )
        found = (page or {}).get("data", [])
        if page is None or found or sandbox:
            break
    if page is not None:
        _keep_profile(account, found)
    return sandbox


def _keep_profile(account: Account, found: Sequence[Row]) -> None:
    own = [each for each in found if each.get("integrationId") == account.customer]
    if not own:
        raise absent(account.customer)
    account.inventory["profile"] = own[0]


async def _read(steps: Steps, account: Account, application: int) -> None:
    """Read coupons and achievements of one Application, and the points of its first program."""
    where = {"applicationId": application}
    await together(
        partial(_keep, steps, account, "coupons", "search_coupons",
                recipientIntegrationId=account.customer, pageSize=_LISTED, **where),
        partial(_keep, steps, account, "achievements", "list_customer_achievement_progress",
                integrationId=account.customer, pageSize=_LISTED, **where),
        partial(_read_points, steps, account, application),
    )  # fmt: skip


async def _keep(steps: Steps, account: Account, part: str, name: str, **arguments: Any) -> None:
    page = await steps.attempt(part, name, **arguments)
    account.inventory[part] = (page or {}).get("data", [])


async def _read_points(steps: Steps, account: Account, application: int) -> None:
    """Read the balances of an Application's first program of profiles, and its transactions."""
    known = [each for each in account.applications if each["id"] == application]
    programs = [each for some in known for each in some.get("loyaltyPrograms", [])]
    own = [each for each in programs if not each.get("cardBased")]
    cards = [each for each in programs if each.get("cardBased")]
    _note_unread(account, "get_loyalty_ledger_balances", own[1:])
    _note_unread(account, "list_loyalty_cards", cards)
    if not own:
        return
    whose = {"loyaltyProgramId": own[0]["id"], "integrationId": account.customer}
    what = f"in program {own[0]['id']}"
    balances, transactions = await together(
        partial(steps.attempt, f"points {what}", "get_loyalty_ledger_balances",
                includeTiers=True, **whose),
        partial(steps.attempt, f"transactions {what}", "list_loyalty_ledger_transactions",
                pageSize=_TRANSACTIONS, **whose),
    )  # fmt: skip
    ledger = from_balances(own[0], balances or {})
    ledger.transactions = (transactions or {}).get("data", [])
    account.ledgers = [ledger]


def _note_unread(account: Account, operation: str, programs: Sequence[Row]) -> None:
    """Note programs in which a customer may have points that were not looked at."""
    if programs:
        named = (f"{text(each.get('title', ''))} ({each['id']})" for each in programs[:PROGRAMS])
        account.elsewhere[operation] = f"points in {', '.join(named)}"


def _judge_coupons(steps: Steps, account: Account) -> None:
    """Give each coupon the state that the inventory would, as far as its campaign is known."""

    def state(coupon: Row) -> str:
        campaign = account.campaigns[coupon["campaignId"]]
        problems = coupon_problems(coupon, account.customer, steps.now)
        if campaign:
            problems += campaign_problems(campaign, steps.now)
        reasons = {each.reason for each in problems}
        usable = "active" if campaign else "active if its campaign runs"
        return next((name for name, which in _STATES if which & reasons), usable)

    coupons = account.inventory.get("coupons", [])
    account.inventory["coupons"] = [each | {"state": state(each)} for each in coupons]
