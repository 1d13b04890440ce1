"""The request for a new campaign, and what it is made from: a template or another campaign."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.answer_format import MAX_QUOTED_CHARS, picked
from talonone_mcp.workflows.campaign_lookup import FoundCampaign, find_campaign
from talonone_mcp.workflows.steps import Steps
from talonone_mcp.workflows.upstream_types import (
    BudgetLimit,
    CodeSettings,
    Template,
    TemplateParameter,
)

_FETCH_ALL = 10_000  # templates
_MAX_OFFERED = 10

# What is copied from a campaign. Its counters are not: they change by themselves.
_COPIED = ("name", "description", "startTime", "endTime", "attributes", "activeRulesetId", "tags",
           "reevaluateOnReturn", "features", "couponSettings", "referralSettings", "limits",
           "campaignGroups", "type", "linkedStoreIds", "couponAttributes")  # fmt: skip
# What changes about a template without changing what is made from it
_MOVING = ("campaignsCount", "isUserFavorite", "updated", "updatedBy")


class CouponOrder(TypedDict, total=False):
    """The coupons that a new campaign should have."""

    count: int
    usageLimit: int
    pattern: str
    expiryDate: str


class SetUpRequest(TypedDict, total=False):
    """The arguments of set_up_campaign."""

    applicationId: int
    name: str
    template: int | str
    copyOf: int | str
    fromApplicationId: int
    description: str
    startTime: str
    endTime: str
    tags: Sequence[str]
    limits: Sequence[BudgetLimit]
    parameters: Mapping[str, Any]
    coupons: CouponOrder
    state: str
    dryRun: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A template or a campaign that a new campaign is made from.

    A campaign has `application_id`, and `stores`: how many it is linked to. A template has
    `applications`, those that it may be used in. `digest` changes with anything that is copied.
    """

    is_template: bool
    id: int
    name: str
    state: str
    digest: str
    application_id: int = 0
    applications: Sequence[int] = ()
    features: Sequence[str] = ()
    limits: Sequence[BudgetLimit] = ()
    tags: Sequence[str] = ()
    schedule: Mapping[str, str] = field(default_factory=dict)
    stores: int = 0
    code_settings: CodeSettings = field(default_factory=CodeSettings)
    parameters: Sequence[TemplateParameter] = ()

    @property
    def told(self) -> str:
        """What it is, in a sentence about the new campaign."""
        name = f"{self.name!r} ({self.id})"
        if self.is_template:
            return f"from template {name}"
        return f"as a copy of campaign {name} of Application {self.application_id}, {self.state}"


async def find_source(steps: Steps, request: SetUpRequest) -> Source:
    """Return the template or campaign that a request gives by its id or name.

    Raises:
        CallError: `not_found`, or `invalid_arguments` if several may be meant.
    """
    if "template" in request:
        return _of_template(await _find_template(steps, request["template"]))
    where = request.get("fromApplicationId", request["applicationId"])
    return _of_campaign(await find_campaign(steps, where, request["copyOf"]))


def _of_campaign(campaign: FoundCampaign) -> Source:
    return Source(
        is_template=False,
        application_id=campaign["applicationId"],
        schedule=picked(campaign, ("startTime", "endTime")),
        state=campaign.get("frontendState", campaign["state"]),
        stores=len(campaign.get("linkedStoreIds", ())),
        **_common(campaign, picked(campaign, _COPIED)),
    )


def _of_template(template: Template) -> Source:
    kept = {key: value for key, value in template.items() if key not in _MOVING}
    return Source(
        is_template=True,
        applications=template.get("applicationsIds", ()),
        parameters=template.get("templateParams", ()),
        state=template["state"],
        **_common(template, kept),
    )


def _common(document: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    exact = json.dumps(kept, sort_keys=True)
    return {
        "id": document["id"],
        "name": one_line(document["name"], MAX_QUOTED_CHARS),
        "digest": hashlib.sha256(exact.encode()).hexdigest(),
        "features": document.get("features", ()),
        "limits": [_limit(each) for each in document.get("limits", ())],
        "tags": document.get("tags", ()),
        "code_settings": document.get("couponSettings", {}),
    }


def _limit(limit: BudgetLimit) -> dict[str, Any]:
    """Return a limit as requests take it; if it counts the whole campaign, with no entities."""
    return picked(limit, ("action", "limit", "period")) | {"entities": limit.get("entities", [])}


async def _find_template(steps: Steps, wanted: int | str) -> Template:
    """Return the one template with an id, or a whole name in whatever case."""
    listed = await steps.call("list_campaign_templates", fetchAll=_FETCH_ALL)
    templates: Sequence[Template] = listed.get("data", [])
    text = " ".join(str(wanted).split())
    by_id = [each for each in templates if str(each["id"]) == text]
    by_name = [each for each in templates if _folded(each["name"]) == _folded(text)]
    chosen = [*by_id, *by_name] if isinstance(wanted, str) else by_id
    found = {each["id"]: each for each in chosen}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        said = f"{len(found)} templates may be meant by {one_line(text, MAX_QUOTED_CHARS)!r}."
        hint = "Ask which one is meant, and call again with its id."
        raise CallError("invalid_arguments", said, details=_offered([*found.values()]), hint=hint)
    raise CallError(
        "not_found",
        f"No campaign template has the id or name {one_line(text, MAX_QUOTED_CHARS)!r}.",
        details=_offered(templates),
        hint="list_campaign_templates lists the templates with their parameters.",
    )


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _offered(templates: Sequence[Template]) -> list[dict[str, str]]:
    more = len(templates) - _MAX_OFFERED
    return [
        {
            "at": "template",
            "problem": "is there",
            "templateId": str(each["id"]),
            "name": one_line(each["name"], MAX_QUOTED_CHARS),
            "state": each["state"],
        }
        for each in templates[:_MAX_OFFERED]
    ] + ([{"at": "template", "problem": f"{more} more are there"}] if more > 0 else [])
