"""Which campaign is meant, by its id or its name: exactly one, or an error that offers several."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.steps import Steps, together

MOST_APPLICATIONS = 8
"""How many Applications are looked into; beyond that, the one that is meant has to be given."""

_OFFERED = 10
_QUOTED = 80  # characters of a name
_ALL = 10_000
_ID = re.compile("[1-9][0-9]{0,17}")
_LIST = "list_campaigns shows the campaigns of an Application with their ids."

Campaigns = Sequence[Mapping[str, Any]]


async def find_campaign(
    steps: Steps, application_id: int | None, campaign: int | str
) -> dict[str, Any]:
    """Return the one campaign that is meant, as `get_campaign` has it.

    `matchedBy` in it says how it was found: `id`, `name`, or `name, ignoring case`. Only a whole
    name finds a campaign; those that hold it as a part are offered in the error. Digits that are
    the id of one campaign and the name of another find neither.

    It takes one request in a given Application (two for a text of digits). With none given, it
    takes one for the list of Applications, and as many again in each of them. A workflow that
    calls it `uses` list_applications, list_campaigns and get_campaign.

    Args:
        steps: makes the calls.
        application_id: where to look; None for every Application, if they are not too many.
        campaign: an id, an id as text, or a name.

    Raises:
        CallError: `not_found`; `invalid_arguments`, where it may be one of several, would have to
            be looked for in too many Applications, or is empty; or of a read that failed. Its
            details list the campaigns that may be meant.
    """
    name = campaign.strip() if isinstance(campaign, str) else None
    wanted = str(campaign) if name is None else _spaced(name)
    if not wanted:
        raise _refused("campaign", "is empty: give an id or a name")
    places = await _places(steps, application_id)
    read = await together(
        *(partial(_by_id, steps, place, wanted) for place in places if _ID.fullmatch(wanted)),
        *(partial(_by_name, steps, place, name) for place in places if name is not None),
    )
    candidates = list({each["id"]: each for some in read for each in some}.values())
    match = partial(_match, wanted=wanted, named=name is not None)
    for ways in (("id", "name"), ("name, ignoring case",)):
        chosen = [each for each in candidates if match(each) in ways]
        if len(chosen) == 1:
            return {**chosen[0], "matchedBy": match(chosen[0])}
        if chosen:
            raise _several(chosen, wanted, places)
    raise _absent(candidates, wanted, places)


async def _places(steps: Steps, application_id: int | None) -> Mapping[int, str]:
    """Return the Applications to look into, by id, with their names where those are known."""
    if application_id is not None:
        return {application_id: ""}
    listed = (await steps.call("list_applications")).get("data", [])
    if len(listed) > MOST_APPLICATIONS:
        problem = f"is needed: there are {len(listed)} Applications, too many to look into all"
        raise _refused("applicationId", problem)
    return {each["id"]: each.get("name", "") for each in listed}


def _refused(at: str, problem: str) -> CallError:
    return CallError(
        "invalid_arguments",
        "The campaign was not looked for.",
        details=[{"at": at, "problem": problem}],
        hint="list_applications shows the Applications. " + _LIST,
    )


async def _by_id(steps: Steps, place: int, wanted: str) -> Campaigns:
    try:
        return [await steps.call("get_campaign", applicationId=place, campaignId=int(wanted))]
    except CallError as error:
        if error.kind == "not_found":
            return []
        raise


async def _by_name(steps: Steps, place: int, name: str) -> Campaigns:
    """Return the campaigns whose name is this one, in whatever case, or has it as a part."""
    page = await steps.call("list_campaigns", applicationId=place, name=name, fetchAll=_ALL)
    campaigns: Campaigns = page.get("data", [])
    return campaigns


def _match(campaign: Mapping[str, Any], *, wanted: str, named: bool) -> str:
    """Return how a campaign is the one that is wanted; nothing where only a part of it is."""
    if str(campaign["id"]) == wanted:
        return "id"
    name = _spaced(campaign["name"])
    if named and name == wanted:
        return "name"
    return "name, ignoring case" if named and _folded(name) == _folded(wanted) else ""


def _spaced(name: str) -> str:
    """Return a name with single spaces, and none around it."""
    return " ".join(name.split())


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _several(campaigns: Campaigns, wanted: str, places: Mapping[int, str]) -> CallError:
    return CallError(
        "invalid_arguments",
        f"{len(campaigns)} campaigns may be meant by {one_line(wanted, _QUOTED)!r}; "
        "none was chosen.",
        details=_offered(campaigns, places),
        hint="Ask which one is meant, and call again with its applicationId and id.",
    )


def _absent(near: Campaigns, wanted: str, places: Mapping[int, str]) -> CallError:
    where = ", ".join(map(str, places))
    return CallError(
        "not_found",
        f"No campaign of Application {where} has the id or the name {one_line(wanted, _QUOTED)!r}.",
        details=_offered(near, places),
        hint="Ask whether one of these is meant, and call again with its id." if near else _LIST,
    )


def _offered(campaigns: Campaigns, places: Mapping[int, str]) -> list[dict[str, str]]:
    """Describe the campaigns that may be meant, those that can still be used first."""
    campaigns = sorted(campaigns, key=lambda each: (each["state"] == "archived", -each["id"]))
    more = len(campaigns) - _OFFERED
    return [_detail(each, places) for each in campaigns[:_OFFERED]] + (
        [{"at": "campaign", "problem": f"{more} more may be meant"}] if more > 0 else []
    )


def _detail(campaign: Mapping[str, Any], places: Mapping[int, str]) -> dict[str, str]:
    place = campaign["applicationId"]
    detail = {
        "at": "campaign",
        "problem": "may be meant",
        "campaignId": str(campaign["id"]),
        "name": one_line(campaign["name"], _QUOTED),
        "state": campaign["frontendState"],
        "applicationId": str(place),
        "application": one_line(places.get(place, ""), _QUOTED),
    }
    return {key: value for key, value in detail.items() if value}
