"""One inquiry after a customer: what was given, the requests that are left, and who was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.code_search import NEEDED, Place
from talonone_mcp.workflows.steps import Steps, together

REQUESTS = 6
_SHOWN = 10  # customers that are listed
_PAGE = 100  # customers that are counted
_FACTS = ("closedSessions", "totalSales", "lastActivity", "sandbox")
_NAMES = ("Name", "Email")  # upstream's own attributes for them
_NAME = 80  # characters of an Application's name


@dataclass(slots=True)
class Inquiry:
    """What is asked, and what has come of it so far.

    `text` is what was given, `place` the Application to look in. `left` is how many requests may
    still be made. `tried` are the ways that were gone to their end, `skipped` what was not looked
    at, and `through` the coupons and cards that the text means. `people` are the customers found,
    by integration id; `uncounted` is whether there are more.
    """

    steps: Steps
    text: str
    place: Place | None = None
    left: int = REQUESTS
    tried: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    through: list[dict[str, Any]] = field(default_factory=list)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    uncounted: bool = False
    places: list[Place] | None = None
    programs: dict[int, str] = field(default_factory=dict)

    async def read(self, what: str, name: str, /, **arguments: Any) -> dict[str, Any] | None:
        """Make one of the requests; None, and said, when it fails.

        Raises:
            CallError: a failure that the whole inquiry cannot do with.
        """
        self.left -= 1
        return await self.steps.attempt(what, name, unless=NEEDED, **arguments)

    def is_tried(self, way: str) -> None:
        """Note that a way was gone, whatever it led to."""
        if way not in self.tried:
            self.tried.append(way)

    def meet(self, way: str, profile: Mapping[str, Any], **more: Any) -> None:
        """Note a customer, and how they were found."""
        customer = profile.get("integrationId")
        if not customer:
            return  # nobody: a cart, or a card, without a customer
        person = self.people.setdefault(customer, {"integrationId": customer, "matchedBy": []})
        if way and way not in person["matchedBy"]:
            person["matchedBy"].append(way)
        attributes = profile.get("attributes", {})
        named = {name: attributes[name] for name in _NAMES if attributes.get(name)}
        facts = {key: profile[key] for key in _FACTS if profile.get(key)}
        person |= {key: profile[key] for key in ("id",) if key in profile}
        person |= ({"attributes": named} if named else {}) | facts | more

    def know(self, place: Place, customer: str | None) -> None:
        """Note that an Application knows a customer who was found."""
        person = self.people.get(customer or "")
        if person is not None:
            known = person.setdefault("applications", [])
            known += [] if place.shown in known else [place.shown]


async def search_profiles(
    inquiry: Inquiry, way: str, *, sandbox: bool = False, anywhere: bool = False, **criteria: Any
) -> None:
    """Find profiles by ids or attributes: in the Application, or in the whole account.

    Args:
        inquiry: who is looked for.
        way: how they are then said to be found; "" where they have been found already.
        sandbox: whether test customers, instead of live ones.
        anywhere: whether in all Applications, though one is given.
        criteria: as search_customer_profiles takes them; texts match exactly.
    """
    in_one = inquiry.place is not None and not (anywhere or sandbox)
    where: dict[str, Any] = {"sandbox": True} if sandbox else {}
    if in_one and inquiry.place:
        where = {"applicationId": inquiry.place.id}
    operation = "search_application_customers" if in_one else "search_customer_profiles"
    what = f"customers by {way or 'integration_id'}"
    answer = await inquiry.read(what, operation, pageSize=_PAGE, **where, **criteria)
    if answer is None:
        return
    if way:
        inquiry.is_tried(way)
    inquiry.uncounted |= bool(answer.get("hasMore"))
    for profile in answer.get("data", ()):
        inquiry.meet(way, profile)
        if in_one and inquiry.place:
            inquiry.know(inquiry.place, profile.get("integrationId"))


async def read_account(inquiry: Inquiry) -> None:
    """Learn which Applications there are, or of the one that is given, and their loyalty programs.

    Raises:
        CallError: there is no such Application, or no key.
    """
    what = "the Applications and their loyalty programs"
    if inquiry.place:
        answer = await inquiry.read(what, "get_application", applicationId=inquiry.place.id)
        listed = [answer] if answer else []
    else:
        answer = await inquiry.read(what, "list_applications")
        listed = answer.get("data", []) if answer else []
    if answer is None:
        return
    inquiry.places = [
        Place(each["id"], one_line(each.get("name", ""), _NAME), each.get("caseSensitivity", ""))
        for each in listed
    ]
    for program in (each for place in listed for each in place.get("loyaltyPrograms", ())):
        if program.get("cardBased"):
            inquiry.programs[program["id"]] = one_line(program.get("title", ""), _NAME)


async def locate(inquiry: Inquiry) -> None:
    """Find out which Applications know the customers, if there are requests for all of those."""
    if all("applications" in each for each in inquiry.people.values()):
        return
    if not inquiry.place and inquiry.places is None and inquiry.left > 1:
        await read_account(inquiry)
    places = [] if inquiry.place else inquiry.places or []
    if not places or len(places) > inquiry.left:
        inquiry.skipped.append("which Applications know them")
        return
    shown = list(inquiry.people)[:_SHOWN]

    async def look(place: Place) -> None:
        answer = await inquiry.read(
            f"who of them is known in Application {place.id}",
            "search_application_customers",
            applicationId=place.id,
            integrationIDs=shown,
        )
        known = answer.get("data", ()) if answer else ()
        for each in known:
            inquiry.know(place, each.get("integrationId"))

    await together(*(partial(look, place) for place in places))


def shown(inquiry: Inquiry) -> dict[str, Any]:
    """Return the customers that are listed, and how many there are beside them."""
    people = list(inquiry.people.values())
    more = len(people) - _SHOWN
    answer: dict[str, Any] = {"found": len(people), "matches": people[:_SHOWN]}
    if inquiry.uncounted:
        answer["found"] = f"more than {len(people)}"
    if more > 0 or inquiry.uncounted:
        answer["more"] = f"at least {max(more, 1)}" if inquiry.uncounted else more
    return answer
