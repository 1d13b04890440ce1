"""Find a coupon by its code. Codes belong to an Application, and do not say to which one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError, Kind
from talonone_mcp.core.text import clean
from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, text
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import Application, Coupon

FATAL: tuple[Kind, ...] = ("not_found", "invalid_arguments", "unauthorized", "not_configured")
"""Errors that end a search: the call, or the server's configuration, has to be corrected first."""

_MAX_LISTED = 10  # Applications that an error lists
_PAGE_SIZE = 10  # coupons whose codes differ only in case


@dataclass(frozen=True, slots=True)
class NamedApplication:
    """An Application to search. `name` and `case_sensitivity` are "" if they are not known."""

    id: int
    name: str = ""
    case_sensitivity: str = ""

    @property
    def shown(self) -> dict[str, Any]:
        """What an answer says of it."""
        return {"id": self.id} | ({"name": self.name} if self.name else {})


@dataclass(frozen=True, slots=True)
class Hit:
    """A coupon that a code may mean, and its Application.

    `is_exact` is False if the codes differ in case, and it is not known whether case matters there.
    """

    application: NamedApplication
    coupon: Coupon
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Searched:
    """The result of searching one Application for a code.

    `hit` is the coupon; `similar` are codes that differ in case, where case matters. If the search
    failed, neither means anything.
    """

    application: NamedApplication
    hit: Hit | None = None
    similar: tuple[str, ...] = ()
    failed: bool = False


def trimmed(code: str) -> str:
    """Return a code as its owner meant it, without surrounding blanks and invisible characters.

    Raises:
        CallError: `invalid_arguments`, nothing is left.
    """
    code = clean(code).strip()
    if not code:
        raise CallError("invalid_arguments", "The code has no visible characters.")
    return code


def named_application(document: Application) -> NamedApplication:
    """Return what a search needs to know of an Application."""
    name = text(document.get("name", ""), MAX_QUOTED_CHARS)
    return NamedApplication(document["id"], name, document.get("caseSensitivity", ""))


async def read_applications(steps: Steps) -> list[NamedApplication] | None:
    """Return all Applications; None if they cannot be read, which the answer then says."""
    what = "the Applications: their names, and whether case matters in codes"
    unless: tuple[Kind, ...] = ("unauthorized", "not_configured")
    answer = await steps.attempt(what, "list_applications", unless=unless)
    return None if answer is None else [named_application(each) for each in answer.get("data", ())]


async def read_coupons(steps: Steps, application_id: int, code: str) -> list[Coupon] | None:
    """Return the coupons of an Application with this code, in whatever case.

    Returns:
        None if they cannot be read, which the answer then says.

    Raises:
        CallError: there is no such Application, or no key for it.
    """
    answer = await steps.attempt(
        f"the coupons of Application {application_id}",
        "search_coupons",
        unless=FATAL,
        applicationId=application_id,
        value=code,
        exactMatch=True,
        pageSize=_PAGE_SIZE,
    )
    return None if answer is None else list(answer.get("data", ()))


async def search(steps: Steps, application: NamedApplication, code: str) -> Searched:
    """Search one Application for a code.

    Raises:
        CallError: there is no such Application, or no key for it.
    """
    return matched(application, code, await read_coupons(steps, application.id, code))


async def search_all(
    steps: Steps, applications: Sequence[NamedApplication], code: str
) -> list[Searched]:
    """Search several Applications for a code, side by side.

    Raises:
        CallError: there is no key for them.
    """
    return await together(*(partial(search, steps, each, code) for each in applications))


def matched(application: NamedApplication, code: str, coupons: Sequence[Coupon] | None) -> Searched:
    """Return which of the coupons that a search found a code means. None is a failed search.

    Upstream's search ignores case; whether case matters is a setting of the Application:
    https://docs.talon.one/management-api: getApplication, caseSensitivity.
    """
    if coupons is None:
        return Searched(application, failed=True)
    alike = {each["value"]: each for each in coupons if same_but_for_case(each["value"], code)}
    if code in alike:
        return Searched(application, Hit(application, alike[code]))
    case = application.case_sensitivity
    if alike and case != "sensitive":
        only = next(iter(alike.values()))
        return Searched(application, Hit(application, only, is_exact=bool(case)))
    return Searched(application, similar=tuple(alike))


def same_but_for_case(one: str, other: str) -> bool:
    """Tell whether two codes are equal, or differ only in case."""
    return one.upper() == other.upper()


def asking_for_application(applications: Sequence[NamedApplication], most: int) -> CallError:
    """Return the error that there are too many Applications to search all of them."""
    listed = [
        {"at": "applicationId", "problem": "may be meant", "value": f"{each.id} ({each.name})"}
        for each in applications[:_MAX_LISTED]
    ]
    return CallError(
        "invalid_arguments",
        f"applicationId is required: there are {len(applications)} Applications, and a code is "
        f"searched for in at most {most}.",
        details=listed,
        hint="Ask where the code is to be used. list_applications lists all Applications.",
    )
