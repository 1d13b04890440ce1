"""Why a coupon cannot be used, or what stands against a campaign: judged from what upstream shows.

The reasons are a fixed set of codes. What only a cart can tell, the conditions of the campaign's
rules, is not judged here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

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

# What a budget may limit, by upstream's names, of what happens when a coupon is redeemed. The
# others that rules may do are not judged: whether the coupon's rule does them, its rules say.
# https://docs.talon.one/docs/product/campaigns/settings/manage-campaign-budgets
REDEEMING = ("redeemCoupon", "setDiscount", "setDiscountEffect")
CREATING = ("createCoupon",)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands against a coupon or a campaign, with the facts that say so.

    `sure` is "unknown" where what upstream shows does not decide it, and "depends_on_customer"
    where it would, if the customer were known.
    """

    reason: Reason
    facts: Mapping[str, Any] = field(default_factory=dict)
    sure: Sureness = "certain"


def moment(text: object) -> datetime | None:
    """Read a time of upstream's; None when there is none, or it cannot be read."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time


def campaign_state(campaign: Mapping[str, Any], now: datetime) -> str:
    """Return the state of a campaign as people see it, such as "running".

    It is upstream's `frontendState`, or, where that is not shown, what the stored state and the
    schedule come to.
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


def campaign_problems(
    campaign: Mapping[str, Any], now: datetime, actions: Collection[str] = REDEEMING
) -> list[Problem]:
    """Return what keeps a campaign from doing something now, the decisive problem first.

    Args:
        campaign: as get_campaign or list_campaigns shows it.
        now: the time to judge by.
        actions: what it should do, by upstream's names of what budgets limit: REDEEMING, CREATING.
    """
    state = campaign_state(campaign, now)
    problems = []
    if state in _OF_STATE:
        facts = {key: campaign[key] for key in ("startTime", "endTime") if key in campaign}
        problems.append(Problem(_OF_STATE[state], {"state": state, **facts}))
    return [*problems, *_of_budgets(campaign, actions)]


def _of_budgets(campaign: Mapping[str, Any], actions: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each budget of the whole campaign that has nothing left.

    What a budget counts for each customer, coupon or store by itself is none of them: upstream
    shows the campaign's sum alone. Nor does it say of which period the count of a budget is that
    begins anew each day, week, month or year.
    """
    for limit in campaign.get("limits", ()):
        if limit["action"] not in actions or limit.get("entities"):
            continue
        used = [
            budget["counter"]
            for budget in campaign.get("budgets", ())
            if (budget["action"], budget["limit"]) == (limit["action"], limit["limit"])
        ]
        if used and max(used) >= limit["limit"]:
            is_sure = min(used) >= limit["limit"] and not limit.get("period")
            facts = {key: limit[key] for key in ("action", "limit", "period") if key in limit}
            facts["used"] = max(used)
            yield Problem("campaign_out_of_budget", facts, "certain" if is_sure else "unknown")


def coupon_problems(
    coupon: Mapping[str, Any], customer: str | None, now: datetime
) -> list[Problem]:
    """Return what keeps a coupon from being used now, the decisive problem first.

    The order is that in which upstream says why it rejects one:
    https://docs.talon.one/docs/dev/integration-api/api-effects. Who has it reserved, and how often
    a customer has redeemed it, a coupon does not show: check_coupon finds that out.

    Args:
        coupon: as search_coupons shows it.
        customer: the integration id of who wants to use it; None when that is not known.
        now: the time to judge by.
    """
    return [
        *_of_dates(coupon, now),
        *_of_recipient(coupon, customer),
        *_of_counters(coupon),
    ]


def _of_dates(coupon: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    start, end = moment(coupon.get("startDate")), moment(coupon.get("expiryDate"))
    if end and end <= now:
        yield Problem("expired", {"expiryDate": coupon["expiryDate"]})
    if start and start > now:
        yield Problem("not_started", {"startDate": coupon["startDate"]})


def _of_recipient(coupon: Mapping[str, Any], customer: str | None) -> Iterator[Problem]:
    recipient = coupon.get("recipientIntegrationId")
    if recipient and recipient != customer:
        sure: Sureness = "certain" if customer else "depends_on_customer"
        yield Problem("reserved_for_another", {"recipientIntegrationId": recipient}, sure)


def _of_counters(coupon: Mapping[str, Any]) -> Iterator[Problem]:
    counter, limit = coupon.get("usageCounter", 0), coupon.get("usageLimit", 0)
    if 0 < limit <= counter:
        yield Problem("used_up", {"usageCounter": counter, "usageLimit": limit})
    given, most = coupon.get("discountCounter", 0), coupon.get("discountLimit", 0)
    if 0 < most <= given:  # 0 is taken for no limit, as usageLimit's is
        yield Problem("discount_used_up", {"discountCounter": given, "discountLimit": most})


def decisive_first(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems in the order in which upstream looks at what they are about.

    The campaign's state comes first, then what the coupon says of itself, then the limits on
    redeeming, and last those on what is given for it.
    """
    return sorted(problems, key=_rank)


def _rank(problem: Problem) -> int:
    if "action" in problem.facts:  # a limit, the campaign's or the coupon's
        return 6 if problem.facts["action"] == "redeemCoupon" else 7
    if problem.reason == "reserved_for_another" and "recipientIntegrationId" not in problem.facts:
        return 5
    return _RANKS.get(problem.reason, 0)


_RANKS: Mapping[str, int] = {
    "expired": 1,
    "not_started": 2,
    "reserved_for_another": 3,
    "used_up": 4,
    "discount_used_up": 7,
}
