"""Find what is wrong with a request for a new campaign, before anybody is asked about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.names import did_you_mean, in_words
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, picked
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_source import (
    CouponOrder,
    SetUpRequest,
    Source,
)
from talonone_mcp.workflows.upstream_times import moment
from talonone_mcp.workflows.upstream_types import Application, BudgetLimit, CodeSettings

Flaw = dict[str, str]
"""What is wrong, as the details of an error have it: `at` an argument, and the `problem`."""

MAX_COUPONS_AT_ONCE = 20_000  # https://docs.talon.one/management-api: createCoupons
_MAX_DESCRIPTION_CHARS = 200
_CHARACTERS = [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"]
_MAX_KEPT_STORES = 50
_DATES = ("startTime", "endTime")


def refuse(flaws: Sequence[Flaw]) -> None:
    """Refuse a request that has flaws, naming all of them.

    Raises:
        CallError: `invalid_arguments`.
    """
    if flaws:
        raise CallError(
            "invalid_arguments",
            "No campaign was set up, and nobody was asked.",
            details=flaws,
            hint="Ask your user for what is missing or wrong, and call again.",
        )


def flaws_of(
    request: SetUpRequest,
    source: Source,
    application: Application,
    limits: Sequence[BudgetLimit],
    now: datetime,
) -> Iterator[Flaw]:
    """Yield everything that is wrong.

    Args:
        request: the arguments of set_up_campaign.
        source: what the campaign is made from.
        application: the Application that it is made in.
        limits: the budgets that it will have.
        now: the time to judge by.
    """
    yield from _of_place(request, source)
    yield from _of_staging(request, source, application)
    yield from _of_schedule(request, source, now)
    yield from _of_parameters(request.get("parameters", {}), source)
    if "coupons" in request:
        yield from _of_coupons(request["coupons"], source, limits, now)
        mandatory = application.get("attributesSettings", {}).get("mandatory", {})
        if names := in_words(mandatory.get("coupons", ())):
            problem = f"need the attributes {names} here: create them with create_coupons instead"
            yield {"at": "coupons", "problem": problem}


def settings_beyond(request: SetUpRequest, source: Source) -> list[str]:
    """Return the arguments that take a call of update_campaign."""
    beyond = [*_DATES] if source.is_template else ["limits"]
    return [
        *(name for name in beyond if name in request),
        *(["state"] if request.get("state") == "enabled" else []),
    ]


def schedule_of(request: SetUpRequest, source: Source) -> dict[str, str]:
    """Return when the campaign starts and ends: as asked for, or else as the copied one does."""
    return {**source.schedule, **picked(request, _DATES)}


def code_settings(coupons: CouponOrder, source: Source) -> CodeSettings:
    """Return what the codes look like, as upstream takes it; empty if the campaign says that."""
    if "pattern" not in coupons:
        return {}
    known = source.code_settings.get("validCharacters") or _CHARACTERS
    return {"couponPattern": coupons["pattern"], "validCharacters": known}


def _of_place(request: SetUpRequest, source: Source) -> Iterator[Flaw]:
    if not source.is_template:
        if "parameters" in request:
            yield {
                "at": "parameters",
                "problem": "only go with template: a copy has the rules of its source",
            }
        return
    if "fromApplicationId" in request:
        yield {"at": "fromApplicationId", "problem": "cannot be combined with template"}
    if source.state != "enabled":
        yield {
            "at": "template",
            "problem": f"is {source.state}; only enabled templates can be used",
        }
    if request["applicationId"] not in source.applications:
        known = in_words(map(str, source.applications)) or "none"
        yield {
            "at": "applicationId",
            "problem": f"the template can only be used in Applications {known}",
        }


def _of_staging(request: SetUpRequest, source: Source, application: Application) -> Iterator[Flaw]:
    """Yield what would take a call of update_campaign that upstream would refuse or cut short.

    https://docs.talon.one/management-api: updateCampaign.
    """
    is_staged = application.get("enableCampaignStateManagement")
    for name in settings_beyond(request, source):
        if is_staged:
            problem = "cannot be set: this Application stages its campaigns. Leave it out"
            yield {"at": name, "problem": problem}
        elif source.stores > _MAX_KEPT_STORES and source.application_id == application["id"]:
            kept = f"only {_MAX_KEPT_STORES} of {source.stores} linked stores would stay"
            problem = f"cannot be set: {kept}"
            yield {"at": name, "problem": problem}


def _of_schedule(request: SetUpRequest, source: Source, now: datetime) -> Iterator[Flaw]:
    schedule = schedule_of(request, source)
    start, end = (moment(schedule.get(name)) for name in _DATES)
    of_source = "" if "endTime" in request else f"of the source, {schedule.get('endTime')}, "
    if end and end <= now:
        yield {
            "at": "endTime",
            "problem": f"{of_source}is in the past: when should the campaign end?",
        }
    elif start and end and end <= start:
        yield {"at": "endTime", "problem": f"{of_source}must be later than startTime"}


# --- A template's parameters -----------------------------------------------------------------


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _list_of(is_one: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(is_one, value))


# The types that getCampaignTemplates documents: https://docs.talon.one/management-api
_FITS: Mapping[str, Callable[[object], bool]] = {
    "string": _is_text,
    "number": _is_number,
    "percent": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "time": lambda value: (at := moment(value)) is not None and at.tzinfo is not None,
    "(list string)": _list_of(_is_text),
    "(list number)": _list_of(_is_number),
}


def _of_parameters(given: Mapping[str, Any], source: Source) -> Iterator[Flaw]:
    if not source.is_template:
        return
    wanted = {each["name"]: each for each in source.parameters}
    for name, parameter in wanted.items():
        at = f"parameters.{name}"
        kind = parameter["type"]
        said = one_line(parameter.get("description", ""), _MAX_DESCRIPTION_CHARS)
        if name not in given:
            yield {"at": at, "problem": f"is missing: {kind}", "type": kind, "description": said}
        elif kind in _FITS and not _FITS[kind](given[name]):
            yield {"at": at, "problem": f"must be {kind}", "type": kind, "description": said}
    for name in given.keys() - wanted:
        known = did_you_mean(name, wanted) if wanted else "; the template has no parameters"
        at = f"parameters.{one_line(name, MAX_QUOTED_CHARS)}"
        yield {"at": at, "problem": f"is unknown{known}"}


# --- Coupons ---------------------------------------------------------------------------------


def _of_coupons(
    coupons: CouponOrder, source: Source, limits: Sequence[BudgetLimit], now: datetime
) -> Iterator[Flaw]:
    count = coupons["count"]
    if "coupons" not in source.features:
        yield {"at": "coupons", "problem": "the source does not have the feature coupons"}
    for limit in limits:
        is_whole = limit["entities"] in ([], ["Coupon"])
        if limit["action"] == "createCoupon" and is_whole and limit["limit"] < count:
            problem = f"the budget for createCoupon is {limit['limit']}; raise it with limits"
            yield {"at": "coupons.count", "problem": problem}
    possible = _possible(coupons, source)
    if possible is not None and possible < count:
        problem = f"the pattern allows only {possible} codes; put more # in coupons.pattern"
        yield {"at": "coupons.count", "problem": problem}
    expiry = moment(coupons.get("expiryDate"))
    if expiry and expiry <= now:
        yield {"at": "coupons.expiryDate", "problem": "is in the past"}


def _possible(coupons: CouponOrder, source: Source) -> int | None:
    """Return how many codes a pattern allows; None if no pattern is known."""
    settings = code_settings(coupons, source) or source.code_settings
    pattern, characters = settings.get("couponPattern"), settings.get("validCharacters")
    if not pattern or not characters:
        return None
    return int(len(set(characters)) ** pattern.count("#"))
