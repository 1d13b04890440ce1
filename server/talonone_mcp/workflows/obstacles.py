"""What keeps a coupon or a campaign from working, judged by what upstream shows of it.

The reasons are a fixed set of codes. The conditions of a campaign's rules are not judged here: only
a cart can tell whether they hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from talonone_mcp.workflows.answer_format import picked
from talonone_mcp.workflows.upstream_times import moment
from talonone_mcp.workflows.upstream_types import BudgetLimit, Campaign, Coupon

Reason = Literal[
    "not_found",
    "in_another_application",
    "campaign_disabled",
    "campaign_scheduled",
    "campaign_expired",
    "campaign_archived",
    "campaign_staged",
    "campaign_out_of_budget",
    "expired",
    "not_started",
    "reserved_for_another",
    "reservation_required",
    "used_up",
    "used_up_by_this_customer",
    "discount_used_up",
]
Sureness = Literal["certain", "unknown", "depends_on_customer"]

# The actions, by upstream's names, that budgets limit when a coupon is redeemed. Other actions are
# not judged: only the campaign's rules tell whether the coupon sets them off.
# https://docs.talon.one/docs/product/campaigns/settings/manage-campaign-budgets
REDEEMING = ("redeemCoupon", "setDiscount", "setDiscountEffect")
CREATING = ("createCoupon",)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that keeps a coupon or a campaign from working, with the facts that show it.

    `sure` is "unknown" if what upstream shows does not settle it, and "depends_on_customer" if it
    would, were the customer known.
    """

    reason: Reason
    facts: Mapping[str, Any] = field(default_factory=dict)
    sure: Sureness = "certain"


def campaign_state(campaign: Campaign, now: datetime) -> str:
    """Return the state of a campaign as people see it, such as "running".

    It is upstream's `frontendState` or, without one, follows from the stored state and the
    schedule.
    """
    shown = campaign.get("frontendState") or campaign.get("state", "enabled")
    if shown != "enabled":
        return str(shown)
    start, end = moment(campaign.get("startTime")), moment(campaign.get("endTime"))
    if start and start > now:
        return "scheduled"
    return "expired" if end and end <= now else "running"


_OF_STATE: Mapping[str, Reason] = {
    "disabled": "campaign_disabled",
    "scheduled": "campaign_scheduled",
    "expired": "campaign_expired",
    "archived": "campaign_archived",
    "staged": "campaign_staged",
}


def campaign_obstacles(
    campaign: Campaign, now: datetime, actions: Collection[str] = REDEEMING
) -> list[Obstacle]:
    """Return what keeps a campaign from doing something now, the decisive obstacle first.

    Args:
        campaign: as get_campaign or list_campaigns shows it.
        now: the time to judge by.
        actions: what the campaign should do, by the names that budgets have for it: REDEEMING,
            CREATING.
    """
    state = campaign_state(campaign, now)
    obstacles = []
    if state in _OF_STATE:
        facts = picked(campaign, ("startTime", "endTime"))
        obstacles.append(Obstacle(_OF_STATE[state], {"state": state, **facts}))
    return [*obstacles, *_of_budgets(campaign, actions)]


def _of_budgets(campaign: Campaign, actions: Collection[str]) -> Iterator[Obstacle]:
    """Yield an obstacle for each budget of the whole campaign that has nothing left.

    Budgets that count each customer, coupon or store by itself are left out, because upstream shows
    only the campaign's total. Nor does it say which period the count of a recurring budget covers.
    """
    for limit in campaign.get("limits", ()):
        if limit["action"] not in actions or limit.get("entities"):
            continue
        used = counters_of(campaign, limit)
        if used and max(used) >= limit["limit"]:
            is_sure = min(used) >= limit["limit"] and not limit.get("period")
            facts = picked(limit, ("action", "limit", "period")) | {"used": max(used)}
            yield Obstacle("campaign_out_of_budget", facts, "certain" if is_sure else "unknown")


def counters_of(campaign: Campaign, limit: BudgetLimit) -> list[float]:
    """Return how much of a limit a campaign has used: several counts where upstream shows several.

    Upstream lists limits and their counters apart, so a counter belongs to every limit with its
    action and amount.
    """
    return [
        budget["counter"]
        for budget in campaign.get("budgets", ())
        if (budget["action"], budget["limit"]) == (limit["action"], limit["limit"])
    ]


def coupon_obstacles(coupon: Coupon, customer: str | None, now: datetime) -> list[Obstacle]:
    """Return what keeps a coupon from being used now, the decisive obstacle first.

    The order is upstream's when it says why it rejects a coupon:
    https://docs.talon.one/docs/dev/integration-api/api-effects. A coupon does not show who has it
    reserved, or how often one customer has redeemed it; check_coupon finds that out.

    Args:
        coupon: as search_coupons shows it.
        customer: the integration id of whoever wants to use it; None if that is not known.
        now: the time to judge by.
    """
    return [
        *_of_dates(coupon, now),
        *_of_recipient(coupon, customer),
        *_of_counters(coupon),
    ]


def _of_dates(coupon: Coupon, now: datetime) -> Iterator[Obstacle]:
    start, end = moment(coupon.get("startDate")), moment(coupon.get("expiryDate"))
    if end and end <= now:
        yield Obstacle("expired", {"expiryDate": coupon["expiryDate"]})
    if start and start > now:
        yield Obstacle("not_started", {"startDate": coupon["startDate"]})


def _of_recipient(coupon: Coupon, customer: str | None) -> Iterator[Obstacle]:
    recipient = coupon.get("recipientIntegrationId")
    if recipient and recipient != customer:
        sure: Sureness = "certain" if customer else "depends_on_customer"
        yield Obstacle("reserved_for_another", {"recipientIntegrationId": recipient}, sure)


def _of_counters(coupon: Coupon) -> Iterator[Obstacle]:
    counter, limit = coupon.get("usageCounter", 0), coupon.get("usageLimit", 0)
    if 0 < limit <= counter:
        yield Obstacle("used_up", {"usageCounter": counter, "usageLimit": limit})
    given, most = coupon.get("discountCounter", 0), coupon.get("discountLimit", 0)
    if 0 < most <= given:  # 0 is read as no limit, as in usageLimit
        yield Obstacle("discount_used_up", {"discountCounter": given, "discountLimit": most})


def decisive_first(obstacles: Iterable[Obstacle]) -> list[Obstacle]:
    """Return obstacles in the order in which upstream checks for them.

    The campaign's state comes first, then the coupon's own fields, then limits on redeeming it, and
    last the limits on what it gives.
    """
    return sorted(obstacles, key=_rank)


def _rank(obstacle: Obstacle) -> int:
    if "action" in obstacle.facts:  # a limit, the campaign's or the coupon's
        return 6 if obstacle.facts["action"] == "redeemCoupon" else 7
    if obstacle.reason == "reserved_for_another" and "recipientIntegrationId" not in obstacle.facts:
        return 5
    return _RANKS.get(obstacle.reason, 0)


_RANKS: Mapping[str, int] = {
    "expired": 1,
    "not_started": 2,
    "reserved_for_another": 3,
    "used_up": 4,
    "discount_used_up": 7,
}
