"""The account as resources: Applications, campaigns, rulesets and loyalty programs, whole.

Each kind is an entry of `ACCOUNT`: its URI template, and the operation that reads it, whose path
arguments are the template's variables. That goes through the executor, like any call.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from mcp.shared.uri_template import UriTemplate

from talonone_mcp.server.resources.kinds import (
    JSON,
    Kind,
    NoResourceError,
    UnreadableError,
    Variables,
    number_in,
)
from talonone_mcp.server.resources.resource_reader import ResourceReader

_ITEMS = 100  # of a list that are read at once
_DIGITS = 9  # of the number of items that can be skipped

APPLICATIONS = "talonone://applications"
APPLICATION = f"{APPLICATIONS}/{{applicationId}}"
CAMPAIGNS = f"{APPLICATION}/campaigns"
CAMPAIGN = f"{CAMPAIGNS}/{{campaignId}}"
RULESET = f"{CAMPAIGN}/rulesets/{{rulesetId}}"
PROGRAMS = "talonone://loyalty-programs"
PROGRAM = f"{PROGRAMS}/{{loyaltyProgramId}}"
_SKIP = "{?skip}"

_Answer = dict[str, Any]


async def _one(_: str, operation: str, reader: ResourceReader, given: Variables) -> str:
    return _text(await reader.read(operation, _ids(given)))


async def _all(_: str, operation: str, reader: ResourceReader, given: Variables) -> str:
    """Return a list that upstream does not divide into pages."""
    answer = await reader.read(operation, _ids(given))
    return _text(_page(answer, following=""))


async def _part(base: str, operation: str, reader: ResourceReader, given: Variables) -> str:
    """Return up to a hundred items of a list, and where it goes on."""
    ids, skip = _ids(given), _skipped(given)
    answer = await reader.read(
        operation, {**ids, "fetchAll": reader.limits.items_per_resource, "skip": skip}
    )
    values = {name: str(value) for name, value in ids.items()}
    values["skip"] = str(skip + len(answer.get("data", ())))
    following = UriTemplate.parse(base.removesuffix(_SKIP) + _SKIP).expand(values)
    return _text(_page(answer, following))


def _page(answer: _Answer, following: str) -> _Answer:
    items = answer.get("data", [])
    page: _Answer = {"shown": len(items)}
    if "totalResultSize" in answer:
        page["total"] = answer["totalResultSize"]
    if answer.get("hasMore"):
        page["next"] = following
    return {"data": items, "page": page}


def _ids(given: Variables) -> dict[str, int]:
    return {name: number_in(given, name) for name in given if name != "skip"}


def _skipped(given: Variables) -> int:
    text = str(given.get("skip", "0"))
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    raise UnreadableError("skip must be a whole number from 0 on.")


def _text(content: _Answer) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _kind(
    template: str,
    read: Callable[[str, str, ResourceReader, Variables], Awaitable[str]],
    operation: str,
    title: str,
    description: str,
) -> Kind:
    name = operation.partition("_")[2] + ("_page" if template.endswith(_SKIP) else "")
    reads = partial(read, template, operation)
    return Kind(UriTemplate.parse(template), name, title, description, JSON, reads)


_FIRST = f"The first {_ITEMS} of them, every field. `page.next` is the resource that goes on."
_NEXT = f"The {_ITEMS} that follow after `skip` others."
ACCOUNT = (
    _kind(APPLICATIONS, _part, "list_applications", "Applications",
          f"The Applications of the account. {_FIRST}"),
    _kind(APPLICATIONS + _SKIP, _part, "list_applications", "More Applications",
          f"Applications of the account. {_NEXT}"),
    _kind(APPLICATION, _one, "get_application", "Application",
          "An Application with its settings and limits."),
    _kind(CAMPAIGNS, _part, "list_campaigns", "Campaigns",
          f"The campaigns of an Application. {_FIRST}"),
    _kind(CAMPAIGNS + _SKIP, _part, "list_campaigns", "More campaigns",
          f"Campaigns of an Application. {_NEXT}"),
    _kind(CAMPAIGN, _one, "get_campaign", "Campaign",
          "A campaign: state, schedule, features, budgets and counts."),
    _kind(RULESET, _one, "get_ruleset", "Ruleset",
          "Rules of a campaign, whose `activeRulesetId` names those that count."),
    _kind(PROGRAMS, _all, "list_loyalty_programs", "Loyalty programs",
          "The loyalty programs of the account, every field."),
    _kind(PROGRAM, _one, "get_loyalty_program", "Loyalty program",
          "A loyalty program: its tiers, and when points become active and expire."),
)  # fmt: skip


def is_watched(uri: str) -> bool:
    """Tell whether changes of a resource are told: to who names it as it is named in lists."""
    for kind in ACCOUNT:
        variables = kind.template.match(uri)
        if variables is not None:
            try:
                ids = {name: str(value) for name, value in _ids(variables).items()}
            except NoResourceError:
                return False
            return kind.template.expand(ids) == uri
    return False
