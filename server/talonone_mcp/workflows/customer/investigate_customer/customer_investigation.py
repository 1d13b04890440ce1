"""One account of a customer, for a question that reached support: what they have, did and lack."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.customer.investigate_customer import customer_sections as view
from talonone_mcp.workflows.customer.investigate_customer import loyalty_points as points
from talonone_mcp.workflows.customer.investigate_customer import recent_activity as visits
from talonone_mcp.workflows.customer.investigate_customer.customer_account import (
    Account,
    absent,
    look_into,
    places,
    read_applications,
)
from talonone_mcp.workflows.customer.investigate_customer.management_route import managed
from talonone_mcp.workflows.steps import Steps, together

PLACES = 2
"""Applications that are looked into where none is given, two requests each."""

_INVENTORY = "get_customer_inventory"
_SECTIONS = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
_LISTED = 10  # transactions of a ledger


async def investigate_customer(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return one account of a customer, from at most nine requests.

    What belongs to the customer comes from get_customer_inventory or, where there is no key of the
    Integration API for it, from several operations of the Management API; what they did, from the
    Application that is given, or from the first ones. What was not looked at is said, with the
    operation that shows it; what could not be had, in `missing`.

    Raises:
        CallError: `not_found`, when there is no such customer or Application.
    """
    application = arguments.get("applicationId")
    account = Account(arguments["customer"], arguments.get("sessions", 4), application)
    has_key, key = _key(steps, application)
    if has_key:
        await together(partial(_owned, steps, account, key), partial(_done, steps, account, key))
        _note_place(account, key)
    else:
        await managed(steps, account)
    return _shown(steps, account)


def _key(steps: Steps, application: int | None) -> tuple[bool, int | None]:
    """Return whether there is a key for the inventory, and the Application to choose it by."""
    if not steps.applications:
        return steps.offers(_INVENTORY), None
    if application is None:
        return True, steps.applications[0]
    return application in steps.applications, application


async def _owned(steps: Steps, account: Account, key: int | None) -> None:
    """Read what a customer has, and then the last transactions of a few ledgers."""
    wanted = dict.fromkeys(_SECTIONS, True)
    try:
        account.inventory = await steps.call(
            _INVENTORY, integrationId=account.customer, applicationId=key, **wanted
        )
    except CallError as error:
        if error.kind == "not_found":
            raise absent(account.customer) from error
        steps.lacks("profile, codes, points, cards, achievements and giveaways", error)
        return
    account.ledgers = points.ledgers(account.inventory.get("loyalty", {}))
    closer = account.ledgers[: points.CLOSER]
    await together(*(partial(_read_closer, steps, account.customer, key, each) for each in closer))


async def _read_closer(steps: Steps, customer: str, key: int | None, ledger: points.Ledger) -> None:
    if ledger.card:
        what, operation = f"transactions of card {ledger.card}", "list_loyalty_card_transactions"
        whose: dict[str, Any] = {"loyaltyCardId": ledger.card}
    else:
        what = f"transactions in program {ledger.program}"
        operation, whose = "list_profile_loyalty_transactions", {"integrationId": customer}
    page = await steps.attempt(
        what,
        operation,
        loyaltyProgramId=ledger.program,
        applicationId=key,
        pageSize=_LISTED,
        **whose,
    )
    ledger.transactions = (page or {}).get("data", [])


async def _done(steps: Steps, account: Account, key: int | None) -> None:
    """Read what a customer did, side by side where the Application is known beforehand."""
    if not steps.offers(visits.SESSIONS):
        what = "sessions, refused coupons and names of campaigns"
        await steps.attempt(what, "list_applications")
        return
    if account.application is not None:
        chosen = [account.application]
        await together(
            partial(read_applications, steps, account, "the Application's name"),
            partial(look_into, steps, account, chosen, account.application),
        )
        return
    await read_applications(steps, account, "Applications, and what was done in them")
    chosen = places(account, steps.applications, PLACES)
    await look_into(steps, account, chosen, key or next(iter(chosen), None))


def _note_place(account: Account, key: int | None) -> None:
    """Note where else a customer may have coupons: an inventory is of its key's Application."""
    is_only = account.application is None and len(account.applications) == 1
    if is_only or (key is not None and key == account.application):
        return
    place = f"Application {key}" if key else "the Application of the Integration API's key"
    account.elsewhere["search_coupons"] = f"coupons, referrals and achievements outside {place}"


def _shown(steps: Steps, account: Account) -> dict[str, Any]:
    """Return what is shown of all that was found."""
    owned, campaigns = account.inventory, account.campaigns
    sections = {
        "coupons": view.coupons(owned.get("coupons", []), campaigns),
        "referrals": view.referrals(owned.get("referrals", []), campaigns),
        **points.points(account.ledgers, steps.now),
        "achievements": view.achievements(owned.get("achievements", []), campaigns),
        "giveaways": view.giveaways(owned.get("giveaways", [])),
        **visits.shown(account.visits, account.sessions, account.names, campaigns),
    }
    account.elsewhere |= dict(points.unread(account.ledgers))
    if account.visits.more or len(account.visits.sessions) > account.sessions:
        account.elsewhere.setdefault(visits.SESSIONS, "older sessions")
    if any(isinstance(each, dict) and "notShown" in each for each in sections.values()):
        account.elsewhere.setdefault(_INVENTORY, "what is counted and not shown")
    customer = {"integrationId": account.customer} | (
        view.profile(owned["profile"]) if "profile" in owned else {}
    )
    return view.filled({"customer": customer, **sections, "notLookedAt": account.elsewhere})
