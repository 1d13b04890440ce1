"""The steps of check_coupon: find the code, read what matters about it, and judge it.

They take at most four requests, however many Applications there are: the list of Applications, a
search for the code in some of them, the campaign, and what one customer has done with the coupon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from talonone_mcp.workflows.code_search import (
    Hit,
    NamedApplication,
    Searched,
    asking_for_application,
    matched,
    read_applications,
    read_coupons,
    search_all,
    trimmed,
)
from talonone_mcp.workflows.coupon.check_coupon.coupon_verdict import (
    Judgement,
    found_in_several,
    judged,
    not_found,
)
from talonone_mcp.workflows.coupon.check_coupon.customer_limits import (
    PastUse,
    limit_obstacles,
    reservation_obstacles,
    unjudged,
)
from talonone_mcp.workflows.coupon.check_coupon.past_redemptions import (
    depends_on_past_use,
    past_use_of,
)
from talonone_mcp.workflows.obstacles import campaign_obstacles, coupon_obstacles, decisive_first
from talonone_mcp.workflows.steps import Steps, together
from talonone_mcp.workflows.upstream_types import Campaign, Coupon

_MAX_REQUESTS = 4
_MAX_SEARCHED = _MAX_REQUESTS - 1  # Applications, one request each, after the list of them


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The result of looking for a code.

    `unsearched` are the Applications that were not searched; `count` is how many there are in all,
    if that is known; `left` is how many requests may still be made.
    """

    searched: Sequence[Searched] = ()
    unsearched: Sequence[NamedApplication] = ()
    count: int = 0
    left: int = 0


async def check_coupon(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict on a code, with the facts behind it.

    Raises:
        CallError: nothing can be said; or there are too many Applications, and none was given.
    """
    code, asked = trimmed(arguments["code"]), arguments.get("applicationId")
    customer = arguments.get("customer")
    lookup = await (_everywhere(steps, code) if asked is None else _in_one(steps, code, asked))
    hits = [each.hit for each in lookup.searched if each.hit]
    here = [hit for hit in hits if asked in (None, hit.application.id)]
    if not here:
        return not_found(code, asked, lookup.searched, lookup.unsearched)
    if len(here) > 1:
        return found_in_several(code, here)
    judgement = await _judgement(steps, here[0], customer, lookup)
    return judged(judgement, lookup.unsearched)


async def _in_one(steps: Steps, code: str, asked: int) -> _Lookup:
    """Search the Application that was given, and others only if the code is not there."""
    coupons: list[Coupon] | None = None
    applications: list[NamedApplication] | None = None

    async def read_code() -> None:
        nonlocal coupons
        coupons = await read_coupons(steps, asked, code)

    async def read_names() -> None:
        nonlocal applications
        applications = await read_applications(steps)

    await together(read_code, read_names)
    known = {each.id: each for each in applications or ()}
    first = matched(known.pop(asked, NamedApplication(asked)), code, coupons)
    left, others = _MAX_REQUESTS - 2, [*known.values()]
    if first.hit or first.failed:
        return _Lookup([first], count=len(applications or ()), left=left)
    elsewhere = await search_all(steps, others[:left], code)
    return _Lookup([first, *elsewhere], others[left:])


async def _everywhere(steps: Steps, code: str) -> _Lookup:
    """Search all Applications; the last one only if no other has the code.

    Otherwise its request is kept for the campaign.

    Raises:
        CallError: there are too many.
    """
    applications = await read_applications(steps)
    if applications is None:
        return _Lookup()
    if len(applications) > _MAX_SEARCHED:
        raise asking_for_application(applications, _MAX_SEARCHED)
    count = _MAX_SEARCHED - 1
    searched = await search_all(steps, applications[:count], code)
    unsearched = applications[count:]
    if not any(each.hit for each in searched):
        searched += await search_all(steps, unsearched, code)
        unsearched = []
    return _Lookup(searched, unsearched, len(applications), _MAX_SEARCHED - len(searched))


async def _judgement(steps: Steps, hit: Hit, customer: str | None, lookup: _Lookup) -> Judgement:
    """Find out what keeps a coupon from working, with the requests that are left."""
    coupon, now, past, left = hit.coupon, steps.now, PastUse(), lookup.left
    campaign = await _campaign(steps, hit) if left else None
    known: Campaign = campaign or {}
    is_cut = not left or (left == 1 and bool(customer) and depends_on_past_use(coupon, known))
    if customer and campaign and not is_cut:
        is_own_key = bool(steps.applications) or lookup.count == 1
        past = await past_use_of(steps, hit, known, customer, is_own_key=is_own_key)
    obstacles = decisive_first(
        [
            *campaign_obstacles(known, now),
            *coupon_obstacles(coupon, customer, now),
            *reservation_obstacles(coupon, customer, past),
            *limit_obstacles(coupon, known, customer, past),
        ]
    )
    return Judgement(hit, campaign, customer, past, obstacles, [*unjudged(coupon, known)], is_cut)


async def _campaign(steps: Steps, hit: Hit) -> Campaign | None:
    answer = await steps.attempt(
        f"campaign {hit.coupon['campaignId']}",
        "get_campaign",
        applicationId=hit.application.id,
        campaignId=hit.coupon["campaignId"],
    )
    return cast("Campaign | None", answer)
