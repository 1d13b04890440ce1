"""Serves the account as resources: Applications, campaigns, rulesets and loyalty programs.

Each kind is an entry of `ACCOUNT`: a URI template and the operation that reads it. The template's
variables are the operation's path arguments. Reads go through the dispatch, like any call.
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

_PAGE_ITEMS = 100  # for the descriptions; `ServerLimits.items_per_resource` sets the page size
_MAX_SKIP_DIGITS = 9

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
    """Return a list that upstream does not paginate."""
    answer = await reader.read(operation, _ids(given))
    return _text(_page(answer, following=""))


async def _part(base: str, operation: str, reader: ResourceReader, given: Variables) -> str:
    """Return one page of a list, with the URI of the next."""
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
    if text.isascii() and text.isdigit() and len(text) <= _MAX_SKIP_DIGITS:
        return int(text)
    raise UnreadableError("skip must be a whole number, 0 or more.")


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


_FIRST = f"The first {_PAGE_ITEMS}, with every field. `page.next` is the URI of the next page."
_NEXT = f"The {_PAGE_ITEMS} after the first `skip`."
ACCOUNT = (
    _kind(APPLICATIONS, _part, "list_applications", "Applications",
          f"The Applications of the account. {_FIRST}"),
    _kind(APPLICATIONS + _SKIP, _part, "list_applications", "More Applications",
          f"Applications of the account. {_NEXT}"),
    _kind(APPLICATION, _one, "get_application", "Application",
          "An Application, with its settings and limits."),
    _kind(CAMPAIGNS, _part, "list_campaigns", "Campaigns",
          f"The campaigns of an Application. {_FIRST}"),
    _kind(CAMPAIGNS + _SKIP, _part, "list_campaigns", "More campaigns",
          f"Campaigns of an Application. {_NEXT}"),
    _kind(CAMPAIGN, _one, "get_campaign", "Campaign",
          "A campaign: state, schedule, features, budgets and counters."),
    _kind(RULESET, _one, "get_ruleset", "Ruleset",
          "A campaign's rules. The campaign's `activeRulesetId` names the ruleset in force."),
    _kind(PROGRAMS, _all, "list_loyalty_programs", "Loyalty programs",
          "The loyalty programs of the account, with every field."),
    _kind(PROGRAM, _one, "get_loyalty_program", "Loyalty program",
          "A loyalty program: its tiers, and when points activate and expire."),
)  # fmt: skip


def is_watched(uri: str) -> bool:
    """Tell whether clients can watch a URI: a resource of the account, in the form of lists."""
    for kind in ACCOUNT:
        variables = kind.template.match(uri)
        if variables is not None:
            try:
                ids = {name: str(value) for name, value in _ids(variables).items()}
            except NoResourceError:
                return False
            return kind.template.expand(ids) == uri
    return False
