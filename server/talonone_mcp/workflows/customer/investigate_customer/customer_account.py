"""What has been found of a customer, and the requests that every way of looking makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.customer.investigate_customer.customer_sections import (
    Campaigns,
    Row,
    text,
)
from talonone_mcp.workflows.customer.investigate_customer.loyalty_points import Ledger
from talonone_mcp.workflows.customer.investigate_customer.recent_activity import (
    SESSIONS,
    Visits,
    visits,
)
from talonone_mcp.workflows.steps import Steps, together

_CAMPAIGNS = 1000
_NAMED = 10  # Applications that are named as not looked into
_ID = 80  # characters of a customer's id in a sentence


@dataclass(slots=True)
class Account:
    """A customer, what was asked of them, and what has been found.

    Attributes:
        customer: the integration id.
        sessions: how many are wanted.
        application: the Application that was asked for, by its id.
        inventory: in the form of get_customer_inventory.
        ledgers: of programs and cards, those that matter most first.
        applications: those that are known.
        campaigns: those that are known.
        visits: sessions and refusals.
        elsewhere: what was not looked at, by the operation that shows it.
    """

    customer: str
    sessions: int
    application: int | None = None
    inventory: dict[str, Any] = field(default_factory=dict)
    ledgers: list[Ledger] = field(default_factory=list)
    applications: list[Row] = field(default_factory=list)
    campaigns: Campaigns = field(default_factory=Campaigns)
    visits: Visits = field(default_factory=Visits)
    elsewhere: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> dict[int, str]:
        """The Applications' names with their ids."""
        return {each["id"]: f"{text(each['name'])} ({each['id']})" for each in self.applications}


def absent(customer: str) -> CallError:
    """Say that there is no such customer."""
    return CallError(
        "not_found",
        f"There is no customer with the integration id {one_line(customer, _ID)!r}.",
        hint="find_customer finds one by e-mail, name, card or coupon code. Live and sandbox"
        " Applications have customers of their own.",
    )


async def read_applications(steps: Steps, account: Account, what: str) -> None:
    """Read the Application that was asked for, or all of them: one request.

    Args:
        steps: makes the call.
        account: takes what is found.
        what: what is missing without them.

    Raises:
        CallError: `not_found`, when the one that was asked for does not exist; `not_configured`.
    """
    wanted = account.application
    try:
        if wanted is None:
            account.applications = (await steps.call("list_applications")).get("data", [])
        else:
            account.applications = [await steps.call("get_application", applicationId=wanted)]
    except CallError as error:
        if error.kind == "not_configured" or (wanted is not None and error.kind == "not_found"):
            raise
        steps.lacks(what, error)


def places(account: Account, first: Sequence[int], count: int) -> list[int]:
    """Return the Applications to look into, and note the others as not looked into.

    Args:
        account: which of them are known.
        first: those that go before the others, by their ids.
        count: how many at most.
    """
    if account.application is not None:
        return [account.application]
    known = sorted(
        (each["id"] for each in account.applications), key=lambda each: each not in first
    )
    others = known[count:]
    if others:
        named = ", ".join(map(str, others[:_NAMED])) + (", ..." if len(others) > _NAMED else "")
        account.elsewhere[SESSIONS] = f"sessions in other Applications: {named}"
    return known[:count]


async def look_into(
    steps: Steps, account: Account, chosen: Sequence[int], names: int | None
) -> None:
    """Read what was done in some Applications, two requests each, and the campaigns of one.

    Args:
        steps: makes the calls.
        account: takes what is found.
        chosen: the Applications, by their ids.
        names: the Application whose campaigns are read, one request; None to leave that out.
    """
    calls = [
        partial(visits, steps, each, account.customer, account.sessions, account.visits)
        for each in chosen
    ]
    if names is not None:
        calls.append(partial(_read_campaigns, steps, account, names))
    await together(*calls)


async def _read_campaigns(steps: Steps, account: Account, application: int) -> None:
    page = await steps.attempt(
        "names of campaigns", "list_campaigns", applicationId=application, pageSize=_CAMPAIGNS
    )
    account.campaigns = Campaigns((page or {}).get("data", []))
