"""The steps of find_customer: find who is meant by whatever a customer gave, and say how.

The form of the text decides which ways are worth trying. Searches for people go first, side by
side; searches by a card or a coupon follow only if nobody was found. It takes at most six requests.
If several customers are found, none is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.names import in_words
from talonone_mcp.core.text import clean
from talonone_mcp.workflows.answer_format import filled, quoted
from talonone_mcp.workflows.code_search import NamedApplication
from talonone_mcp.workflows.customer.find_customer.customer_inquiry import (
    Findings,
    Inquiry,
    added_up,
    listed_people,
    located,
    search_profiles,
)
from talonone_mcp.workflows.customer.find_customer.indirect_search import (
    by_belongings,
    by_part_of_name,
)
from talonone_mcp.workflows.steps import Steps, together

_MAX_ID_DIGITS = 15  # of an id of upstream's own


async def find_customer(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return who may be meant: `matches`, at most ten, each with how it was found.

    Raises:
        CallError: nothing can be looked up, or no text was given.
    """
    text = " ".join(clean(arguments["query"]).split())
    if not text:
        raise CallError("invalid_arguments", "query has no visible characters.")
    asked, by = arguments.get("applicationId"), arguments.get("by")
    inquiry = Inquiry(steps, text, None if asked is None else NamedApplication(asked))
    ways = _ways(text, by)
    searches = [
        partial(search_profiles, inquiry, way, **criteria)
        for way in ways
        for criteria in _criteria(way, text)
    ]
    found = added_up(await together(*searches))
    if not found.people:
        found = await _searched_further(inquiry, by, ways, found)
    if found.people:
        found = await located(inquiry, found)
    return _answer(inquiry, found)


def _ways(text: str, by: str | None) -> list[str]:
    """Return the searches for people to make: the one asked for, or those that fit the text."""
    if by is not None:
        return [by] if by in _CRITERIA else []
    if "@" in text:
        return ["email", "integration_id"]
    if " " in text:
        return ["name"]
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_ID_DIGITS
    return ["integration_id", *(["talon_one_id"] if is_number else [])]


def _criteria(way: str, text: str) -> list[dict[str, Any]]:
    """Return what to search for; each is one request."""
    asked = _CRITERIA[way](text)
    return [each for number, each in enumerate(asked) if each not in asked[:number]]


_CRITERIA: Mapping[str, Callable[[str], list[dict[str, Any]]]] = {
    "email": lambda text: [{"attributes": {"Email": each}} for each in (text, text.lower())],
    "name": lambda text: [{"attributes": {"Name": each}} for each in (text, _as_a_name(text))],
    "integration_id": lambda text: [{"integrationIDs": [text]}],
    "talon_one_id": lambda text: [{"profileIDs": [int(text)]}],
}


def _as_a_name(text: str) -> str:
    """Return a name as it is most likely stored: Anna Schmidt for "schmidt, anna"."""
    last, comma, first = (part.strip() for part in text.partition(","))
    name = f"{first} {last}" if comma and first else text
    return name.title() if name in (name.lower(), name.upper()) else name


async def _searched_further(
    inquiry: Inquiry, by: str | None, ways: Sequence[str], found: Findings
) -> Findings:
    """Try the longer ways, one after the other, until somebody is found."""
    longer: list[Callable[..., Any]] = []
    if by in ("card", "coupon") or (by is None and "integration_id" in ways[:1]):
        longer.append(partial(by_belongings, inquiry, by))
    if by == "name" or (by is None and "@" not in inquiry.text):
        longer.append(partial(by_part_of_name, inquiry))
    if inquiry.text.isalpha() and not inquiry.text.isupper():
        longer.reverse()  # a word is more likely a name than a code
    for way in longer:
        if not found.people:
            found = await way(found)
    return await _searched_elsewhere(inquiry, ways[0], found) if ways else found


async def _searched_elsewhere(inquiry: Inquiry, way: str, found: Findings) -> Findings:
    """Search outside the Application that was given, and among test customers."""
    criteria = _criteria(way, inquiry.text)[-1]
    if inquiry.application and inquiry.allowance.left and not found.people:
        said = f"{way} in all Applications"
        found += await search_profiles(inquiry, said, anywhere=True, **criteria)
    if inquiry.allowance.left and not found.people:
        said = f"{way} among test customers"
        found += await search_profiles(inquiry, said, sandbox=True, **criteria)
    return found


def _answer(inquiry: Inquiry, found: Findings) -> dict[str, Any]:
    return filled({
        **listed_people(found),
        "summary": _summary(inquiry, found),
        "through": list(found.through),
        "tried": [] if found.people else list(found.tried),
        "notTried": list(found.skipped),
    })  # fmt: skip


def _summary(inquiry: Inquiry, found: Findings) -> str:
    people, text = list(found.people.values()), quoted(inquiry.text)
    is_cut = found.skipped or inquiry.steps.missing
    incomplete = " Not everything was searched." if is_cut else ""
    if len(people) > 1:
        return f"{text} may mean several customers: ask which one.{incomplete}"
    if people:
        how = in_words(people[0]["matchedBy"])
        return f"{text} is one customer, found by {how}.{incomplete}"
    if not found.tried:
        return f"{text} could not be looked up."
    through = " It is a code or card that no known customer has." if found.through else ""
    ways = in_words(found.tried)
    return f"No customer was found for {text}. It was tried as {ways}.{through}{incomplete}"
