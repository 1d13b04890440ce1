"""The steps of investigate_customer: one account of a customer, for a question to support."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp.workflows.answer_format import filled
from talonone_mcp.workflows.customer.investigate_customer import customer_sections as sections
from talonone_mcp.workflows.customer.investigate_customer.customer_account import (
    CustomerAccount,
    CustomerQuestion,
)
from talonone_mcp.workflows.customer.investigate_customer.inventory_route import (
    INVENTORY,
    account_by_inventory,
)
from talonone_mcp.workflows.customer.investigate_customer.loyalty_points import points, unread
from talonone_mcp.workflows.customer.investigate_customer.management_route import (
    account_by_management,
)
from talonone_mcp.workflows.customer.investigate_customer.recent_activity import (
    SESSIONS,
    activity_shown,
)
from talonone_mcp.workflows.steps import Steps

_DEFAULT_SESSIONS = 4


async def investigate_customer(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return one account of a customer, from at most nine requests.

    What the customer has comes from get_customer_inventory or, without a key of the Integration
    API, from several operations of the Management API; what they did comes from the Application
    that is given, or else from the first ones. `notLookedAt` lists what was not read, with the
    operation that shows it; `missing`, what could not be read.

    Raises:
        CallError: `not_found` if there is no such customer or Application.
    """
    application = arguments.get("applicationId")
    size = arguments.get("sessions", _DEFAULT_SESSIONS)
    question = CustomerQuestion(arguments["customer"], size, application)
    has_key, key = _key(steps, application)
    if has_key:
        account = await account_by_inventory(steps, question, key)
    else:
        account = await account_by_management(steps, question)
    return _shown(steps, question, account)


def _key(steps: Steps, application: int | None) -> tuple[bool, int | None]:
    """Return whether there is a key for the inventory, and the Application to choose it by."""
    if not steps.applications:
        return steps.offers(INVENTORY), None
    if application is None:
        return True, steps.applications[0]
    return application in steps.applications, application


def _shown(steps: Steps, question: CustomerQuestion, account: CustomerAccount) -> dict[str, Any]:
    """Return what is shown of everything that was found."""
    owned, campaigns, activity = account.inventory, account.campaigns, account.activity
    shown = {
        "coupons": sections.coupons(owned.get("coupons", []), campaigns),
        "referrals": sections.referrals(owned.get("referrals", []), campaigns),
        **points(account.ledgers, steps.now),
        "achievements": sections.achievements(owned.get("achievements", []), campaigns),
        "giveaways": sections.giveaways(owned.get("giveaways", [])),
        **activity_shown(activity, question.sessions, account.application_names, campaigns),
    }
    customer = {"integrationId": question.customer}
    if "profile" in owned:
        customer |= sections.profile(owned["profile"])
    not_looked_at = _not_looked_at(question, account, shown)
    return filled({"customer": customer, **shown, "notLookedAt": not_looked_at})


def _not_looked_at(
    question: CustomerQuestion, account: CustomerAccount, shown: Mapping[str, Any]
) -> dict[str, str]:
    """Return what was not read or is not shown, by the operation that shows it."""
    elsewhere = {**account.elsewhere, **dict(unread(account.ledgers))}
    activity = account.activity
    if activity.has_more or len(activity.sessions) > question.sessions:
        elsewhere.setdefault(SESSIONS, "older sessions")
    if any(isinstance(each, dict) and "notShown" in each for each in shown.values()):
        elsewhere.setdefault(INVENTORY, "what is counted and not shown")
    return elsewhere
