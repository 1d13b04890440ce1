"""Find the campaign that an id or a name means: exactly one, or an error that offers several."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import cast

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.names import in_words
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, filled
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import Application, Campaign

MOST_APPLICATIONS = 8
"""How many Applications are searched; if there are more, the right one has to be given."""

_MAX_OFFERED = 10
_FETCH_ALL = 10_000  # campaigns
_ID = re.compile("[1-9][0-9]{0,17}")
_LIST_HINT = "list_campaigns shows the campaigns of an Application with their ids."


class FoundCampaign(Campaign, total=False):
    """The campaign that was found. `matchedBy` is `id`, `name`, or `name, ignoring case`."""

    matchedBy: str


async def find_campaign(
    steps: Steps, application_id: int | None, campaign: int | str
) -> FoundCampaign:
    """Return the one campaign that is meant, as get_campaign returns it.

    Only a whole name finds a campaign; the error offers campaigns whose names contain it. Digits
    that are the id of one campaign and the name of another find neither.

    It takes one request in a given Application (two for a text of digits). If none is given, it
    takes one for the list of Applications, and as many again in each of them. A workflow that
    calls it `uses` list_applications, list_campaigns and get_campaign.

    Args:
        steps: makes the calls.
        application_id: where to look; None for every Application, unless there are too many.
        campaign: an id, an id as text, or a name.

    Raises:
        CallError: `not_found`; `invalid_arguments` if several may be meant, there are too many
            Applications to search, or nothing was given; or the error of a read that failed.
            Its details list the campaigns that may be meant.
    """
    name = campaign.strip() if isinstance(campaign, str) else None
    wanted = str(campaign) if name is None else _spaced(name)
    if not wanted:
        raise _refused("campaign", "is empty: give an id or a name")
    names = await _application_names(steps, application_id)
    read = await together(
        *(partial(_by_id, steps, place, wanted) for place in names if _ID.fullmatch(wanted)),
        *(partial(_by_name, steps, place, name) for place in names if name is not None),
    )
    candidates = list({each["id"]: each for some in read for each in some}.values())
    match = partial(_match, wanted=wanted, named=name is not None)
    for ways in (("id", "name"), ("name, ignoring case",)):
        chosen = [each for each in candidates if match(each) in ways]
        if len(chosen) == 1:
            return {**chosen[0], "matchedBy": match(chosen[0])}
        if chosen:
            raise _several(chosen, wanted, names)
    raise _absent(candidates, wanted, names)


async def _application_names(steps: Steps, application_id: int | None) -> Mapping[int, str]:
    """Return the Applications to search, by id, with their names if those are known."""
    if application_id is not None:
        return {application_id: ""}
    listed: list[Application] = (await steps.call("list_applications")).get("data", [])
    if len(listed) > MOST_APPLICATIONS:
        problem = f"is required: there are {len(listed)} Applications, too many to search them all"
        raise _refused("applicationId", problem)
    return {each["id"]: each.get("name", "") for each in listed}


def _refused(at: str, problem: str) -> CallError:
    return CallError(
        "invalid_arguments",
        "No campaign was searched for.",
        details=[{"at": at, "problem": problem}],
        hint="list_applications lists the Applications. " + _LIST_HINT,
    )


async def _by_id(steps: Steps, application_id: int, wanted: str) -> list[Campaign]:
    asked = {"applicationId": application_id, "campaignId": int(wanted)}
    try:
        return [cast("Campaign", await steps.call("get_campaign", **asked))]
    except CallError as error:
        if error.kind == "not_found":
            return []
        raise


async def _by_name(steps: Steps, application_id: int, name: str) -> list[Campaign]:
    """Return the campaigns whose name contains this one, in whatever case."""
    asked = {"applicationId": application_id, "name": name}
    page = await steps.call("list_campaigns", fetchAll=_FETCH_ALL, **asked)
    campaigns: list[Campaign] = page.get("data", [])
    return campaigns


def _match(campaign: Campaign, *, wanted: str, named: bool) -> str:
    """Return how a campaign matches what is wanted; "" if at most a part of its name does."""
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


def _several(campaigns: Sequence[Campaign], wanted: str, names: Mapping[int, str]) -> CallError:
    return CallError(
        "invalid_arguments",
        f"{len(campaigns)} campaigns may be meant by {one_line(wanted, MAX_QUOTED_CHARS)!r}; "
        "none was chosen.",
        details=_offered(campaigns, names),
        hint="Ask which one is meant, and call again with its applicationId and id.",
    )


def _absent(near: Sequence[Campaign], wanted: str, names: Mapping[int, str]) -> CallError:
    where, meant = in_words(map(str, names), "or"), one_line(wanted, MAX_QUOTED_CHARS)
    hint = "Ask whether one of these is meant, and call again with its id." if near else _LIST_HINT
    return CallError(
        "not_found",
        f"No campaign in Application {where} has the id or name {meant!r}.",
        details=_offered(near, names),
        hint=hint,
    )


def _offered(campaigns: Sequence[Campaign], names: Mapping[int, str]) -> list[dict[str, str]]:
    """Describe the campaigns that may be meant, archived ones last."""
    campaigns = sorted(campaigns, key=lambda each: (each["state"] == "archived", -each["id"]))
    more = len(campaigns) - _MAX_OFFERED
    return [_detail(each, names) for each in campaigns[:_MAX_OFFERED]] + (
        [{"at": "campaign", "problem": f"{more} more may be meant"}] if more > 0 else []
    )


def _detail(campaign: Campaign, names: Mapping[int, str]) -> dict[str, str]:
    application_id = campaign["applicationId"]
    return filled({
        "at": "campaign",
        "problem": "may be meant",
        "campaignId": str(campaign["id"]),
        "name": one_line(campaign["name"], MAX_QUOTED_CHARS),
        "state": campaign["frontendState"],
        "applicationId": str(application_id),
        "application": one_line(names.get(application_id, ""), MAX_QUOTED_CHARS),
    })  # fmt: skip
