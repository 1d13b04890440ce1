"""An inquiry after a customer: what is asked, what it has found, and the requests all ways make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, picked, text
from talonone_mcp.workflows.code_search import FATAL, NamedApplication, named_application
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import Application, CustomerProfile

MAX_REQUESTS = 6
_MAX_LISTED = 10  # customers
_MAX_COUNTED = 100  # customers
_FACTS = ("closedSessions", "totalSales", "lastActivity", "sandbox")
_NAME_ATTRIBUTES = ("Name", "Email")  # upstream's own


class Allowance:
    """How many requests an inquiry may still make. Ways that run side by side share it."""

    def __init__(self, requests: int = MAX_REQUESTS) -> None:
        """Start with a number of requests."""
        self.left = requests

    def take(self, requests: int = 1) -> None:
        """Use up some of them."""
        self.left -= requests


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked: the text that was given, the Application to look in, and who makes the calls.

    `application` is None if none was given.
    """

    steps: Steps
    text: str
    application: NamedApplication | None = None
    allowance: Allowance = field(default_factory=Allowance)

    async def read(self, what: str, name: str, /, **arguments: Any) -> dict[str, Any] | None:
        """Make one of the requests; return None if it fails, which the answer then says.

        Raises:
            CallError: a failure that ends the inquiry.
        """
        self.allowance.take()
        return await self.steps.attempt(what, name, unless=FATAL, **arguments)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A customer, as one request showed them.

    `way` is how they were found, "" if they were found before; `facts` are for the answer;
    `application` is one that knows them.
    """

    customer: str
    way: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    application: NamedApplication | None = None


@dataclass(frozen=True, slots=True)
class SearchedAccount:
    """The Applications that can be searched, and the titles of their card programs, by id."""

    applications: tuple[NamedApplication, ...]
    card_programs: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """What an inquiry has found. Findings add up, in the order in which they were looked for.

    `tried` are the ways that were tried to the end, and `skipped` what there were no requests left
    for. `through` are the coupons and cards that the text means. `uncounted` is whether there are
    more customers than those that were sighted. `account` is None until it was read.
    """

    sightings: tuple[Sighting, ...] = ()
    tried: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    through: tuple[Mapping[str, Any], ...] = ()
    uncounted: bool = False
    account: SearchedAccount | None = None

    def __add__(self, more: Findings) -> Findings:
        """Return these and what was found later."""
        return Findings(
            self.sightings + more.sightings,
            tuple(dict.fromkeys(self.tried + more.tried)),
            self.skipped + more.skipped,
            self.through + more.through,
            self.uncounted or more.uncounted,
            more.account or self.account,
        )

    @property
    def people(self) -> dict[str, dict[str, Any]]:
        """The customers who were found, by integration id, as the answer lists them."""
        people: dict[str, dict[str, Any]] = {}
        for each in self.sightings:
            if not each.way and each.customer not in people:
                continue  # an answer about somebody who was not asked about
            person = people.setdefault(
                each.customer, {"integrationId": each.customer, "matchedBy": []}
            )
            if each.way and each.way not in person["matchedBy"]:
                person["matchedBy"].append(each.way)
            person |= each.facts
            if each.application is not None:
                known = person.setdefault("applications", [])
                known += [] if each.application.shown in known else [each.application.shown]
        return people


def added_up(findings: Iterable[Findings]) -> Findings:
    """Return all findings as one."""
    return sum(findings, Findings())


def sighting(
    way: str, profile: CustomerProfile, application: NamedApplication | None = None
) -> tuple[Sighting, ...]:
    """Return the customer of a profile, if there is one: carts and cards may have none."""
    customer = profile.get("integrationId")
    if not customer:
        return ()
    attributes = profile.get("attributes", {})
    named = {name: attributes[name] for name in _NAME_ATTRIBUTES if attributes.get(name)}
    facts = {name: value for name, value in picked(profile, _FACTS).items() if value}
    known = picked(profile, ("id",)) | ({"attributes": named} if named else {})
    return (Sighting(customer, way, known | facts, application),)


async def search_profiles(
    inquiry: Inquiry, way: str, *, sandbox: bool = False, anywhere: bool = False, **criteria: Any
) -> Findings:
    """Find profiles by ids or attributes: in the Application, or in the whole account.

    Args:
        inquiry: what is asked.
        way: how the answer calls this way of finding them; "" if they were found before.
        sandbox: search test customers instead of live ones.
        anywhere: search all Applications, even if one was given.
        criteria: as search_customer_profiles takes them; texts match exactly.
    """
    application = None if anywhere or sandbox else inquiry.application
    where: dict[str, Any] = {"sandbox": True} if sandbox else {}
    operation = "search_customer_profiles"
    if application is not None:
        where, operation = {"applicationId": application.id}, "search_application_customers"
    what = f"customers by {way or 'integration_id'}"
    answer = await inquiry.read(what, operation, pageSize=_MAX_COUNTED, **where, **criteria)
    if answer is None:
        return Findings()
    return Findings(
        tuple(
            found for each in answer.get("data", ()) for found in sighting(way, each, application)
        ),
        tried=(way,) if way else (),
        uncounted=bool(answer.get("hasMore")),
    )


async def read_account(inquiry: Inquiry) -> Findings:
    """Read the Applications and their loyalty programs; of the one Application if it was given.

    Raises:
        CallError: there is no such Application, or no key.
    """
    what = "the Applications and their loyalty programs"
    listed: list[Application]
    if inquiry.application:
        answer = await inquiry.read(what, "get_application", applicationId=inquiry.application.id)
        listed = [cast("Application", answer)] if answer else []
    else:
        answer = await inquiry.read(what, "list_applications")
        listed = answer.get("data", []) if answer else []
    if answer is None:
        return Findings()
    card_programs = {
        program["id"]: text(program.get("title", ""), MAX_QUOTED_CHARS)
        for each in listed
        for program in each.get("loyaltyPrograms", ())
        if program.get("cardBased")
    }
    return Findings(account=SearchedAccount(tuple(map(named_application, listed)), card_programs))


def searchable(inquiry: Inquiry, found: Findings) -> tuple[NamedApplication, ...]:
    """Return the Applications to search, as far as they are known."""
    known = found.account.applications if found.account else ()
    return known or ((inquiry.application,) if inquiry.application else ())


async def located(inquiry: Inquiry, found: Findings) -> Findings:
    """Return findings with the Applications that know the customers.

    All Applications are searched or, if there are not enough requests left for that, none.
    """
    people = found.people
    if all("applications" in each for each in people.values()):
        return found
    if not inquiry.application and found.account is None and inquiry.allowance.left > 1:
        found += await read_account(inquiry)
    applications = () if inquiry.application else searchable(inquiry, found)
    if not applications or len(applications) > inquiry.allowance.left:
        return found + Findings(skipped=("which Applications know them",))
    listed = list(people)[:_MAX_LISTED]
    return found + added_up(
        await together(*(partial(_known_in, inquiry, each, listed) for each in applications))
    )


async def _known_in(
    inquiry: Inquiry, application: NamedApplication, customers: list[str]
) -> Findings:
    answer = await inquiry.read(
        f"who of them is known in Application {application.id}",
        "search_application_customers",
        applicationId=application.id,
        integrationIDs=customers,
    )
    known = answer.get("data", ()) if answer else ()
    return Findings(
        tuple(
            Sighting(each["integrationId"], application=application)
            for each in known
            if each.get("integrationId")
        )
    )


def listed_people(found: Findings) -> dict[str, Any]:
    """Return the customers that are listed, and how many more there are."""
    people = list(found.people.values())
    more = len(people) - _MAX_LISTED
    answer: dict[str, Any] = {"found": len(people), "matches": people[:_MAX_LISTED]}
    if found.uncounted:
        answer["found"] = f"more than {len(people)}"
    if more > 0 or found.uncounted:
        answer["more"] = f"at least {max(more, 1)}" if found.uncounted else more
    return answer
