"""What a new campaign is made from: a template, or another campaign."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.campaign_lookup import find_campaign
from talonone_mcp.workflows.steps import Steps

_QUOTED = 80
_ALL = 10_000
_OFFERED = 10

# What comes along from a campaign, its counters left aside: those move by themselves
_COPIED = ("name", "description", "startTime", "endTime", "attributes", "activeRulesetId", "tags",
           "reevaluateOnReturn", "features", "couponSettings", "referralSettings", "limits",
           "campaignGroups", "type", "linkedStoreIds", "couponAttributes")  # fmt: skip
# What changes of a template while it stays the same
_MOVING = ("campaignsCount", "isUserFavorite", "updated", "updatedBy")


@dataclass(frozen=True, slots=True)
class Source:
    """A template or a campaign that a new campaign is made from.

    `application_id` is that of a campaign, and `stores` how many it is linked to; `applications`
    are those that a template may be used in. `digest` stands for everything that comes along.
    """

    is_template: bool
    id: int
    name: str
    state: str
    digest: str
    application_id: int = 0
    applications: Sequence[int] = ()
    features: Sequence[str] = ()
    limits: Sequence[Mapping[str, Any]] = ()
    tags: Sequence[str] = ()
    schedule: Mapping[str, str] = field(default_factory=dict)
    stores: int = 0
    code_settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: Sequence[Mapping[str, Any]] = ()

    @property
    def told(self) -> str:
        """What it is, in a sentence about the new campaign."""
        name = f"{self.name!r} ({self.id})"
        if self.is_template:
            return f"from template {name}"
        return f"as a copy of campaign {name} of Application {self.application_id}, {self.state}"


async def find_source(steps: Steps, arguments: Mapping[str, Any]) -> Source:
    """Return what the arguments name, by id or by name.

    Raises:
        CallError: `not_found`, or `invalid_arguments` where several may be meant.
    """
    if "template" in arguments:
        return _of_template(await _find_template(steps, arguments["template"]))
    where = arguments.get("fromApplicationId", arguments["applicationId"])
    return _of_campaign(await find_campaign(steps, where, arguments["copyOf"]))


def _of_campaign(campaign: Mapping[str, Any]) -> Source:
    kept = {key: campaign[key] for key in _COPIED if key in campaign}
    return Source(
        is_template=False,
        application_id=campaign["applicationId"],
        schedule={key: campaign[key] for key in ("startTime", "endTime") if key in campaign},
        state=campaign.get("frontendState", campaign["state"]),
        stores=len(campaign.get("linkedStoreIds", ())),
        **_common(campaign, kept),
    )


def _of_template(template: Mapping[str, Any]) -> Source:
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
        "name": one_line(document["name"], _QUOTED),
        "digest": hashlib.sha256(exact.encode()).hexdigest(),
        "features": document.get("features", ()),
        "limits": [_limit(each) for each in document.get("limits", ())],
        "tags": document.get("tags", ()),
        "code_settings": document.get("couponSettings", {}),
    }


def _limit(limit: Mapping[str, Any]) -> dict[str, Any]:
    """Return a limit as a request has it; where it counts the whole campaign, of no entity."""
    kept = {key: limit[key] for key in ("action", "limit", "period") if key in limit}
    return {**kept, "entities": limit.get("entities", [])}


async def _find_template(steps: Steps, wanted: int | str) -> Mapping[str, Any]:
    """Return the one template of an id, or of a whole name in whatever case."""
    listed = await steps.call("list_campaign_templates", fetchAll=_ALL)
    templates: Sequence[Mapping[str, Any]] = listed.get("data", [])
    text = " ".join(str(wanted).split())
    by_id = [each for each in templates if str(each["id"]) == text]
    by_name = [each for each in templates if _folded(each["name"]) == _folded(text)]
    found = {each["id"]: each for each in (*by_id, *(by_name if isinstance(wanted, str) else ()))}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        said = f"{len(found)} templates may be meant by {one_line(text, _QUOTED)!r}."
        hint = "Ask which one is meant, and call again with its id."
        raise CallError("invalid_arguments", said, details=_offered([*found.values()]), hint=hint)
    raise CallError(
        "not_found",
        f"No campaign template has the id or the name {one_line(text, _QUOTED)!r}.",
        details=_offered(templates),
        hint="list_campaign_templates shows the templates with their parameters.",
    )


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _offered(templates: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    more = len(templates) - _OFFERED
    return [
        {
            "at": "template",
            "problem": "is there",
            "templateId": str(each["id"]),
            "name": one_line(each["name"], _QUOTED),
            "state": each["state"],
        }
        for each in templates[:_OFFERED]
    ] + ([{"at": "template", "problem": f"{more} more are there"}] if more > 0 else [])
