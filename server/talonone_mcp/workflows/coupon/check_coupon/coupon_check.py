"""check_coupon: whether a code works now, and if not, why, with the facts that say so.

It costs at most four requests, however many Applications there are: the list of them, the search
for the code in some of them, the campaign, and what one customer has done with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talonone_mcp.workflows.code_search import (
    Hit,
    Place,
    Searched,
    asking_for_application,
    found,
    read_coupons,
    read_places,
    search_all,
    trimmed,
)
from talonone_mcp.workflows.coupon.check_coupon.coupon_verdict import (
    Judgement,
    judged,
    several,
    unfound,
)
from talonone_mcp.workflows.coupon.check_coupon.customer_limits import (
    Uses,
    limit_problems,
    reservation_problems,
    unjudged,
)
from talonone_mcp.workflows.coupon.check_coupon.past_redemptions import depends_on_uses, uses_of
from talonone_mcp.workflows.obstacles import campaign_problems, coupon_problems, decisive_first
from talonone_mcp.workflows.steps import Steps, together

_REQUESTS = 4
_MOST_PLACES = _REQUESTS - 1  # when none is given: one request each, after the list of them


@dataclass(frozen=True, slots=True)
class _Lookup:
    """What came of looking for a code.

    `unsearched` are the Applications that were not looked into, `count` is how many there are in
    all, as far as that is known; `left` is how many requests may still be made.
    """

    searched: Sequence[Searched] = ()
    unsearched: Sequence[Place] = ()
    count: int = 0
    left: int = 0


async def check_coupon(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict on a code, with the facts behind it.

    Raises:
        CallError: nothing can be said; or the Application has to be named, of too many.
    """
    code, asked = trimmed(arguments["code"]), arguments.get("applicationId")
    customer = arguments.get("customer")
    lookup = await (_everywhere(steps, code) if asked is None else _at(steps, code, asked))
    hits = [each.hit for each in lookup.searched if each.hit]
    here = [hit for hit in hits if asked in (None, hit.place.id)]
    if not here:
        return unfound(code, asked, lookup.searched, lookup.unsearched)
    if len(here) > 1:
        return several(code, here)
    judgement = await _judgement(steps, here[0], customer, lookup)
    return judged(judgement, lookup.unsearched)


async def _at(steps: Steps, code: str, asked: int) -> _Lookup:
    """Look in the Application that was given, and in others only if the code is not there."""
    coupons: list[dict[str, Any]] | None = None
    places: list[Place] | None = None

    async def read_code() -> None:
        nonlocal coupons
        coupons = await read_coupons(steps, asked, code)

    async def read_names() -> None:
        nonlocal places
        places = await read_places(steps)

    await together(read_code, read_names)
    known = {each.id: each for each in places or ()}
    first = found(known.pop(asked, Place(asked)), code, coupons)
    left, others = _REQUESTS - 2, [*known.values()]
    if first.hit or first.failed:
        return _Lookup([first], count=len(places or ()), left=left)
    elsewhere = await search_all(steps, others[:left], code)
    return _Lookup([first, *elsewhere], others[left:])


async def _everywhere(steps: Steps, code: str) -> _Lookup:
    """Look in all Applications, in the last of them only if that leaves a request for a campaign.

    Raises:
        CallError: they are too many.
    """
    places = await read_places(steps)
    if places is None:
        return _Lookup()
    if len(places) > _MOST_PLACES:
        raise asking_for_application(places, _MOST_PLACES)
    count = _MOST_PLACES - 1
    searched = await search_all(steps, places[:count], code)
    unsearched = places[count:]
    if not any(each.hit for each in searched):
        searched += await search_all(steps, unsearched, code)
        unsearched = []
    return _Lookup(searched, unsearched, len(places), _MOST_PLACES - len(searched))


async def _judgement(steps: Steps, hit: Hit, customer: str | None, lookup: _Lookup) -> Judgement:
    """Find out what stands against a coupon, with the requests that are left."""
    coupon, now, uses, left = hit.coupon, steps.now, Uses(), lookup.left
    campaign = await _campaign(steps, hit) if left else None
    known = campaign or {}
    is_cut = not left or (left == 1 and bool(customer) and depends_on_uses(coupon, known))
    if customer and campaign and not is_cut:
        own = bool(steps.applications) or lookup.count == 1
        uses = await uses_of(steps, hit, known, customer, own=own)
    problems = decisive_first(
        [
            *campaign_problems(known, now),
            *coupon_problems(coupon, customer, now),
            *reservation_problems(coupon, customer, uses),
            *limit_problems(coupon, known, customer, uses),
        ]
    )
    return Judgement(hit, campaign, customer, uses, problems, [*unjudged(coupon, known)], is_cut)


async def _campaign(steps: Steps, hit: Hit) -> dict[str, Any] | None:
    return await steps.attempt(
        f"campaign {hit.coupon['campaignId']}",
        "get_campaign",
        applicationId=hit.place.id,
        campaignId=hit.coupon["campaignId"],
    )
