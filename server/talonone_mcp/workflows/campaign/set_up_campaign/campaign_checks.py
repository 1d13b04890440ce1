"""What is wrong with a campaign that is to be set up, found before anybody is asked about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.campaign.set_up_campaign.campaign_source import Source
from talonone_mcp.workflows.obstacles import moment

Flaw = dict[str, str]
Limits = Sequence[Mapping[str, Any]]

MOST_AT_ONCE = 20_000  # https://docs.talon.one/management-api: createCoupons
_QUOTED = 200
_CHARACTERS = [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"]
_MOST_STORES = 50
_DATES = ("startTime", "endTime")


def refuse(flaws: Sequence[Flaw]) -> None:
    """Refuse a campaign that has flaws, naming all of them.

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
    arguments: Mapping[str, Any],
    source: Source,
    application: Mapping[str, Any],
    limits: Limits,
    now: datetime,
) -> Iterator[Flaw]:
    """Yield everything that is wrong.

    Args:
        arguments: of set_up_campaign.
        source: what the campaign is made from.
        application: where it goes.
        limits: the budgets that it will have.
        now: the time to judge by.
    """
    yield from _of_place(arguments, source)
    yield from _of_staging(arguments, source, application)
    yield from _of_schedule(arguments, source, now)
    yield from _of_parameters(arguments.get("parameters", {}), source)
    if "coupons" in arguments:
        yield from _of_coupons(arguments["coupons"], source, limits, now)
        mandatory = application.get("attributesSettings", {}).get("mandatory", {})
        if names := ", ".join(mandatory.get("coupons", ())):
            problem = f"must have the attributes {names} here: leave them to create_coupons"
            yield {"at": "coupons", "problem": problem}


def settings_beyond(arguments: Mapping[str, Any], source: Source) -> list[str]:
    """Return the arguments that only update_campaign can bring about."""
    beyond = [*_DATES] if source.is_template else ["limits"]
    return [
        *(name for name in beyond if name in arguments),
        *(["state"] if arguments.get("state") == "enabled" else []),
    ]


def schedule_of(arguments: Mapping[str, Any], source: Source) -> dict[str, str]:
    """Return when the campaign starts and ends: as asked for, or as what is copied does."""
    return {**source.schedule, **{name: arguments[name] for name in _DATES if name in arguments}}


def code_settings(coupons: Mapping[str, Any], source: Source) -> Mapping[str, Any]:
    """Return what the codes look like, as upstream takes it; nothing where the campaign says it."""
    if "pattern" not in coupons:
        return {}
    known = source.code_settings.get("validCharacters") or _CHARACTERS
    return {"couponPattern": coupons["pattern"], "validCharacters": known}


def _of_place(arguments: Mapping[str, Any], source: Source) -> Iterator[Flaw]:
    if not source.is_template:
        if "parameters" in arguments:
            yield {"at": "parameters", "problem": "are a template's: a copy has the source's rules"}
        return
    if "fromApplicationId" in arguments:
        yield {"at": "fromApplicationId", "problem": "does not go with template"}
    if source.state != "enabled":
        yield {"at": "template", "problem": f"is {source.state}, and must be enabled to be used"}
    if arguments["applicationId"] not in source.applications:
        known = ", ".join(map(str, source.applications)) or "none"
        yield {"at": "applicationId", "problem": f"the template is for Applications {known}"}


def _of_staging(
    arguments: Mapping[str, Any], source: Source, application: Mapping[str, Any]
) -> Iterator[Flaw]:
    """Yield what update_campaign would have to do where upstream does not let it.

    https://docs.talon.one/management-api: updateCampaign.
    """
    is_staged = application.get("enableCampaignStateManagement")
    for name in settings_beyond(arguments, source):
        if is_staged:
            problem = "cannot be set here: the Application stages its campaigns. Leave it out"
            yield {"at": name, "problem": problem}
        elif source.stores > _MOST_STORES and source.application_id == application["id"]:
            problem = f"cannot be set: of the {source.stores} stores linked, {_MOST_STORES} stayed"
            yield {"at": name, "problem": problem}


def _of_schedule(arguments: Mapping[str, Any], source: Source, now: datetime) -> Iterator[Flaw]:
    schedule = schedule_of(arguments, source)
    start, end = (moment(schedule.get(name)) for name in _DATES)
    of_source = "" if "endTime" in arguments else f"of the source, {schedule.get('endTime')}, "
    if end and end <= now:
        yield {"at": "endTime", "problem": f"{of_source}lies in the past: when shall it end?"}
    elif start and end and end <= start:
        yield {"at": "endTime", "problem": f"{of_source}must be later than startTime"}


# --- A template's parameters -----------------------------------------------------------------


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _list_of(is_one: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(is_one, value))


# https://docs.talon.one/management-api: the types that getCampaignTemplates documents
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
        kind, said = parameter["type"], one_line(parameter.get("description", ""), _QUOTED)
        if name not in given:
            yield {"at": at, "problem": f"is missing: {kind}", "type": kind, "description": said}
        elif kind in _FITS and not _FITS[kind](given[name]):
            yield {"at": at, "problem": f"must be {kind}", "type": kind, "description": said}
    for name in given.keys() - wanted:
        known = ", ".join(wanted) or "none"
        yield {"at": f"parameters.{one_line(name, 80)}", "problem": f"is unknown; it has {known}"}


# --- Coupons ---------------------------------------------------------------------------------


def _of_coupons(
    coupons: Mapping[str, Any], source: Source, limits: Limits, now: datetime
) -> Iterator[Flaw]:
    count = coupons["count"]
    if "coupons" not in source.features:
        yield {"at": "coupons", "problem": "the source does not have the feature coupons"}
    for limit in limits:
        is_whole = limit["entities"] in ([], ["Coupon"])
        if limit["action"] == "createCoupon" and is_whole and limit["limit"] < count:
            problem = f"the budget createCoupon is {limit['limit']}; raise it with limits"
            yield {"at": "coupons.count", "problem": problem}
    possible = _possible(coupons, source)
    if possible is not None and possible < count:
        problem = f"the pattern can only make {possible}; put more # in coupons.pattern"
        yield {"at": "coupons.count", "problem": problem}
    expiry = moment(coupons.get("expiryDate"))
    if expiry and expiry <= now:
        yield {"at": "coupons.expiryDate", "problem": "lies in the past"}


def _possible(coupons: Mapping[str, Any], source: Source) -> int | None:
    """Return how many codes a pattern can give; None where no pattern is known."""
    settings = code_settings(coupons, source) or source.code_settings
    pattern, characters = settings.get("couponPattern"), settings.get("validCharacters")
    if not pattern or not characters:
        return None
    return int(len(set(characters)) ** pattern.count("#"))
