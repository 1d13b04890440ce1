"""A customer's account: what was asked, what was found, and the reads that both routes make."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, first_of, text
from talonone_mcp.workflows.customer.investigate_customer.customer_sections import KnownCampaigns
from talonone_mcp.workflows.customer.investigate_customer.loyalty_points import LoyaltyLedger
from talonone_mcp.workflows.customer.investigate_customer.recent_activity import (
    SESSIONS,
    Activity,
    read_activity,
)
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import Application, Inventory

_MAX_CAMPAIGNS = 1000
_MAX_NAMED = 10  # Applications that were not searched


@dataclass(frozen=True, slots=True)
class CustomerQuestion:
    """Whose account is wanted: an integration id, how many sessions, and perhaps an Application."""

    customer: str
    sessions: int
    application: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """What was found about a customer.

    Attributes:
        inventory: in the form of get_customer_inventory.
        ledgers: of programs and cards, the most important first.
        applications: those that are known.
        campaigns: those that are known.
        activity: sessions and refusals.
        elsewhere: what was not read, by the operation that shows it.
    """

    inventory: Inventory = field(default_factory=Inventory)
    ledgers: Sequence[LoyaltyLedger] = ()
    applications: Sequence[Application] = ()
    campaigns: KnownCampaigns = field(default_factory=KnownCampaigns)
    activity: Activity = field(default_factory=Activity)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def application_names(self) -> dict[int, str]:
        """The Applications' names with their ids, by id."""
        return {each["id"]: f"{text(each['name'])} ({each['id']})" for each in self.applications}


def no_such_customer(customer: str) -> CallError:
    """Return the error that there is no such customer."""
    return CallError(
        "not_found",
        f"There is no customer with the integration id {one_line(customer, MAX_QUOTED_CHARS)!r}.",
        hint="find_customer finds customers by e-mail, name, card or coupon code. Live and sandbox"
        " Applications do not share customers.",
    )


async def read_applications(
    steps: Steps, question: CustomerQuestion, what: str
) -> list[Application]:
    """Read the Application that was asked for, or all of them: one request.

    Args:
        steps: makes the call.
        question: what was asked.
        what: what is missing if they cannot be read.

    Raises:
        CallError: `not_found` if the one that was asked for does not exist; `not_configured`.
    """
    wanted = question.application
    try:
        if wanted is None:
            return list((await steps.call("list_applications")).get("data", []))
        return [cast("Application", await steps.call("get_application", applicationId=wanted))]
    except CallError as error:
        if error.kind == "not_configured" or (wanted is not None and error.kind == "not_found"):
            raise
        steps.lacks(what, error)
        return []


def to_search(
    question: CustomerQuestion,
    applications: Sequence[Application],
    first: Collection[int],
    count: int,
) -> tuple[list[int], dict[str, str]]:
    """Return the Applications to search for activity, and what is not read because of that.

    Args:
        question: what was asked.
        applications: those that are known.
        first: the ids of those that go before the others.
        count: how many to search at most.
    """
    if question.application is not None:
        return [question.application], {}
    known = sorted((each["id"] for each in applications), key=lambda each: each not in first)
    others = known[count:]
    if not others:
        return known, {}
    named = first_of(others, _MAX_NAMED)
    return known[:count], {SESSIONS: f"sessions in other Applications: {named}"}


async def read_done(
    steps: Steps, question: CustomerQuestion, searched: Sequence[int], named: int | None
) -> tuple[Activity, KnownCampaigns]:
    """Read what was done in some Applications, two requests each, and the campaigns of one.

    Args:
        steps: makes the calls.
        question: what was asked.
        searched: the ids of the Applications.
        named: the Application whose campaigns are read, one request; None to leave that out.
    """
    customer, size = question.customer, question.sessions
    activities = [partial(read_activity, steps, each, customer, size) for each in searched]
    names = [partial(_read_campaigns, steps, named)] if named is not None else []
    found: list[Any] = await together(*activities, *names)
    done = sum(found[: len(activities)], Activity())
    return done, found[-1] if names else KnownCampaigns()


async def _read_campaigns(steps: Steps, application: int) -> KnownCampaigns:
    page = await steps.attempt(
        "names of campaigns", "list_campaigns", applicationId=application, pageSize=_MAX_CAMPAIGNS
    )
    return KnownCampaigns((page or {}).get("data", []))
