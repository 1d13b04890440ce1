"""Where a coupon code is found: codes belong to an Application, and a code says not to which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError, Kind
from talonone_mcp.core.text import clean, one_line
from talonone_mcp.workflows.steps import Steps, together

NEEDED: tuple[Kind, ...] = ("not_found", "invalid_arguments", "unauthorized", "not_configured")
"""Errors with which a search says nothing: the call, or the server, has to be put right first."""

_NAMED = 10  # Applications that an error lists
_NAME = 80  # characters of a name
_PAGE = 10  # coupons whose codes differ in their case alone


@dataclass(frozen=True, slots=True)
class Place:
    """An Application. `case` is its caseSensitivity; "" where that is not known, as the name."""

    id: int
    name: str = ""
    case: str = ""

    @property
    def shown(self) -> dict[str, Any]:
        """What an answer says of it."""
        return {"id": self.id} | ({"name": self.name} if self.name else {})


@dataclass(frozen=True, slots=True)
class Hit:
    """A coupon that a code may mean, and where it is.

    `is_exact` is False where the codes differ in their case, and whether that matters there is
    not known.
    """

    place: Place
    coupon: Mapping[str, Any]
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of looking for a code in one Application.

    `hit` is the coupon, `similar` are codes that differ in their case, where that matters. Neither
    says anything if the search failed.
    """

    place: Place
    hit: Hit | None = None
    similar: tuple[str, ...] = ()
    failed: bool = False


def trimmed(code: str) -> str:
    """Return a code as its owner meant it: without the blanks around it and what cannot be seen.

    Raises:
        CallError: `invalid_arguments`, nothing is left.
    """
    code = clean(code).strip()
    if not code:
        raise CallError("invalid_arguments", "There is no code: it holds nothing that can be seen.")
    return code


async def read_places(steps: Steps) -> list[Place] | None:
    """Return all Applications; None, and said, when they cannot be had."""
    what = "the Applications: their names, and whether case matters in codes"
    unless: tuple[Kind, ...] = ("unauthorized", "not_configured")
    answer = await steps.attempt(what, "list_applications", unless=unless)
    if answer is None:
        return None
    return [
        Place(each["id"], one_line(each.get("name", ""), _NAME), each.get("caseSensitivity", ""))
        for each in answer.get("data", ())
    ]


async def read_coupons(steps: Steps, application_id: int, code: str) -> list[dict[str, Any]] | None:
    """Return the coupons of an Application with a code, whatever its case; None, and said, if not.

    Raises:
        CallError: there is no such Application, or no key for it.
    """
    answer = await steps.attempt(
        f"the coupons of Application {application_id}",
        "search_coupons",
        unless=NEEDED,
        applicationId=application_id,
        value=code,
        exactMatch=True,
        pageSize=_PAGE,
    )
    return None if answer is None else list(answer.get("data", ()))


async def search(steps: Steps, place: Place, code: str) -> Searched:
    """Look for a code in one Application.

    Raises:
        CallError: there is no such Application, or no key for it.
    """
    return found(place, code, await read_coupons(steps, place.id, code))


async def search_all(steps: Steps, places: Sequence[Place], code: str) -> list[Searched]:
    """Look for a code in several Applications, side by side.

    Raises:
        CallError: there is no key for them.
    """
    return await together(*(partial(search, steps, place, code) for place in places))


def found(place: Place, code: str, coupons: Sequence[Mapping[str, Any]] | None) -> Searched:
    """Return which of the coupons that a search showed a code means; None is a failed search.

    Upstream searches whatever the case; whether it matters is the Application's setting:
    https://docs.talon.one/management-api: getApplication, caseSensitivity.
    """
    if coupons is None:
        return Searched(place, failed=True)
    alike = {each["value"]: each for each in coupons if same(each["value"], code)}
    if code in alike:
        return Searched(place, Hit(place, alike[code]))
    if alike and place.case != "sensitive":
        return Searched(place, Hit(place, next(iter(alike.values())), is_exact=bool(place.case)))
    return Searched(place, similar=tuple(alike))


def same(one: str, other: str) -> bool:
    """Tell whether two codes differ in their case at most."""
    return one.upper() == other.upper()


def asking_for_application(places: Sequence[Place], most: int) -> CallError:
    """Return the error that there are too many Applications to look into all of them."""
    named = [
        {"at": "applicationId", "problem": "may be meant", "value": f"{each.id} ({each.name})"}
        for each in places[:_NAMED]
    ]
    return CallError(
        "invalid_arguments",
        f"applicationId is needed: there are {len(places)} Applications, and at most {most} are "
        "searched for a code.",
        details=named,
        hint="Ask where the code is to be used. list_applications shows all.",
    )
