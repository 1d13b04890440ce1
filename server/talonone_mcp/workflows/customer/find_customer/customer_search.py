"""find_customer: who is meant by whatever a customer gave, and how that was found out.

What was given says by its form which ways are worth trying. The ways that ask for people go first,
side by side; those that lead over a card or a coupon only when nobody was found. It costs at most
six requests. Of several customers none is chosen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import clean
from talonone_mcp.workflows.code_search import Place
from talonone_mcp.workflows.coupon.check_coupon.coupon_sentences import quoted
from talonone_mcp.workflows.customer.find_customer.customer_inquiry import (
    Inquiry,
    locate,
    search_profiles,
    shown,
)
from talonone_mcp.workflows.customer.find_customer.indirect_search import (
    by_belongings,
    by_part_of_name,
)
from talonone_mcp.workflows.steps import Steps, together

_Way = Callable[[], Awaitable[None]]
_LONGEST_NUMBER = 15  # digits of an id of upstream's own


async def find_customer(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return who may be meant: `matches`, at most ten, each with how it was found.

    Raises:
        CallError: nothing can be looked up, or no text was given.
    """
    text = " ".join(clean(arguments["query"]).split())
    if not text:
        raise CallError("invalid_arguments", "query holds nothing that can be seen.")
    asked, by = arguments.get("applicationId"), arguments.get("by")
    inquiry = Inquiry(steps, text, None if asked is None else Place(asked))
    ways = _ways(text, by)
    await together(
        *(
            partial(search_profiles, inquiry, way, **criteria)
            for way in ways
            for criteria in _criteria(way, text)
        )
    )
    if not inquiry.people:
        await _further(inquiry, by, ways)
    if inquiry.people:
        await locate(inquiry)
    return _answer(inquiry)


def _ways(text: str, by: str | None) -> list[str]:
    """Return the ways that ask for people, by what the text looks like unless that is given."""
    if by is not None:
        return [by] if by in _CRITERIA else []
    if "@" in text:
        return ["email", "integration_id"]
    if " " in text:
        return ["name"]
    number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    return ["integration_id", *(["talon_one_id"] if number else [])]


def _criteria(way: str, text: str) -> list[dict[str, Any]]:
    """Return what a search for people asks in turn: each is one request."""
    asked = _CRITERIA[way](text)
    return [each for number, each in enumerate(asked) if each not in asked[:number]]


_CRITERIA: Mapping[str, Callable[[str], list[dict[str, Any]]]] = {
    "email": lambda text: [{"attributes": {"Email": each}} for each in (text, text.lower())],
    "name": lambda text: [{"attributes": {"Name": each}} for each in (text, _as_a_name(text))],
    "integration_id": lambda text: [{"integrationIDs": [text]}],
    "talon_one_id": lambda text: [{"profileIDs": [int(text)]}],
}


def _as_a_name(text: str) -> str:
    """Return a name as it is most likely kept: of "schmidt, anna", Anna Schmidt."""
    last, comma, first = (part.strip() for part in text.partition(","))
    name = f"{first} {last}" if comma and first else text
    return name.title() if name in (name.lower(), name.upper()) else name


async def _further(inquiry: Inquiry, by: str | None, ways: Sequence[str]) -> None:
    """Go the longer ways, from one to the next until somebody is found."""
    longer: list[_Way] = []
    if by in ("card", "coupon") or (by is None and "integration_id" in ways[:1]):
        longer.append(partial(by_belongings, inquiry, by))
    if by == "name" or (by is None and "@" not in inquiry.text):
        longer.append(partial(by_part_of_name, inquiry))
    if inquiry.text.isalpha() and not inquiry.text.isupper():
        longer.reverse()  # a word is rather a name than a code
    for way_to in longer:
        if not inquiry.people:
            await way_to()
    if ways:
        await _elsewhere(inquiry, ways[0])


async def _elsewhere(inquiry: Inquiry, way: str) -> None:
    """Look outside the Application that was given, and among the customers of tests."""
    criteria = _criteria(way, inquiry.text)[-1]
    if inquiry.place and inquiry.left and not inquiry.people:
        said = f"{way} in all Applications"
        await search_profiles(inquiry, said, anywhere=True, **criteria)
    if inquiry.left and not inquiry.people:
        await search_profiles(inquiry, f"{way} among test customers", sandbox=True, **criteria)


def _answer(inquiry: Inquiry) -> dict[str, Any]:
    answer = shown(inquiry) | {"summary": _summary(inquiry)}
    answer |= {"through": inquiry.through, "tried": inquiry.tried, "notTried": inquiry.skipped}
    if inquiry.people:
        del answer["tried"]
    return {key: part for key, part in answer.items() if part != []}


def _summary(inquiry: Inquiry) -> str:
    count, text = len(inquiry.people), quoted(inquiry.text)
    looked = " Not everything was looked at." if inquiry.skipped or inquiry.steps.missing else ""
    if count > 1:
        return f"{text} may mean several customers: ask which one.{looked}"
    if count == 1:
        [person] = inquiry.people.values()
        return f"{text} is one customer, found by {' and '.join(person['matchedBy'])}.{looked}"
    if not inquiry.tried:
        return f"Who {text} is could not be looked up."
    through = " It is a code or a card that nobody is known to have." if inquiry.through else ""
    ways = ", ".join(inquiry.tried)
    return f"{text} is nobody who was found. It was tried as {ways}.{through}{looked}"
