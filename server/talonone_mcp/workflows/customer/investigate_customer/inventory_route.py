"""The route to an account with a key of the Integration API: the customer's inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.customer.investigate_customer.customer_account import (
    CustomerAccount,
    CustomerQuestion,
    no_such_customer,
    read_applications,
    read_done,
    to_search,
)
from talonone_mcp.workflows.customer.investigate_customer.loyalty_points import (
    MAX_READ_CLOSELY,
    LoyaltyLedger,
    ledgers_in,
)
from talonone_mcp.workflows.customer.investigate_customer.recent_activity import SESSIONS
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import Inventory

INVENTORY = "get_customer_inventory"
_MAX_SEARCHED = 2  # Applications, if none is given; two requests each
_SECTIONS = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
_MAX_TRANSACTIONS = 10  # of a ledger


async def account_by_inventory(
    steps: Steps, question: CustomerQuestion, key: int | None
) -> CustomerAccount:
    """Read a customer's account, in at most nine requests.

    Args:
        steps: makes the calls.
        question: what was asked.
        key: the Application whose key is used; None if the only key's is not known.

    Raises:
        CallError: `not_found` if there is no such customer or Application.
    """
    owned, done = await together(
        partial(_owned, steps, question.customer, key), partial(_done, steps, question, key)
    )
    elsewhere = {**done.elsewhere, **_coupons_elsewhere(question, done, key)}
    return replace(done, inventory=owned.inventory, ledgers=owned.ledgers, elsewhere=elsewhere)


async def _owned(steps: Steps, customer: str, key: int | None) -> CustomerAccount:
    """Read what a customer has, and then the last transactions of a few ledgers."""
    wanted = dict.fromkeys(_SECTIONS, True)
    try:
        answer = await steps.call(INVENTORY, integrationId=customer, applicationId=key, **wanted)
    except CallError as error:
        if error.kind == "not_found":
            raise no_such_customer(customer) from error
        steps.lacks("profile, codes, points, cards, achievements and giveaways", error)
        return CustomerAccount()
    inventory = cast("Inventory", answer)
    ledgers = ledgers_in(inventory.get("loyalty", {}))
    read = await together(
        *(
            partial(_with_transactions, steps, customer, key, each)
            for each in ledgers[:MAX_READ_CLOSELY]
        )
    )
    return CustomerAccount(inventory, [*read, *ledgers[MAX_READ_CLOSELY:]])


async def _with_transactions(
    steps: Steps, customer: str, key: int | None, ledger: LoyaltyLedger
) -> LoyaltyLedger:
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
        pageSize=_MAX_TRANSACTIONS,
        **whose,
    )
    return replace(ledger, transactions=(page or {}).get("data", []))


async def _done(steps: Steps, question: CustomerQuestion, key: int | None) -> CustomerAccount:
    """Read what a customer did; all side by side if an Application was given."""
    if not steps.offers(SESSIONS):
        await steps.attempt("sessions, refused coupons and names of campaigns", "list_applications")
        return CustomerAccount()
    if question.application is not None:
        chosen = [question.application]
        found: list[Any] = await together(
            partial(read_applications, steps, question, "the Application's name"),
            partial(read_done, steps, question, chosen, question.application),
        )
        applications, (activity, campaigns) = found
        return CustomerAccount(applications=applications, activity=activity, campaigns=campaigns)
    what = "Applications, and what was done in them"
    applications = await read_applications(steps, question, what)
    chosen, elsewhere = to_search(question, applications, steps.applications, _MAX_SEARCHED)
    named = key or next(iter(chosen), None)
    activity, campaigns = await read_done(steps, question, chosen, named)
    return CustomerAccount(
        applications=applications, activity=activity, campaigns=campaigns, elsewhere=elsewhere
    )


def _coupons_elsewhere(
    question: CustomerQuestion, done: CustomerAccount, key: int | None
) -> Mapping[str, str]:
    """Return where else a customer may have coupons: an inventory is of its key's Application."""
    is_only = question.application is None and len(done.applications) == 1
    if is_only or (key is not None and key == question.application):
        return {}
    place = f"Application {key}" if key else "the Application of the Integration API's key"
    return {"search_coupons": f"coupons, referrals and achievements outside {place}"}
