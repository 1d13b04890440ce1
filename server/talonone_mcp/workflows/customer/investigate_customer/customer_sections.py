"""The sections of an account about a customer: a few rows of each kind, and the rest counted.

The sizes are fixed, so that an answer stays small whatever a customer has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from talonone_mcp.workflows.answer_format import filled, newest, text
from talonone_mcp.workflows.upstream_times import day, minute
from talonone_mcp.workflows.upstream_types import (
    Achievement,
    Campaign,
    Coupon,
    CustomerProfile,
    Giveaway,
    Referral,
)

_MAX_ATTRIBUTES, _MAX_AUDIENCES = 7, 4
_MAX_COUPONS, _MAX_REFERRALS, _MAX_ACHIEVEMENTS, _MAX_GIVEAWAYS = 6, 3, 4, 2
_MAX_FRIENDS = 2  # of a referral code

_FIRST = ("Name", "Email", "Phone")  # attributes that tell who it is

_Entry = TypeVar("_Entry", Coupon, Referral, Achievement, Giveaway)


def profile(found: CustomerProfile) -> dict[str, Any]:
    """Return who a customer is."""
    attributes = found.get("attributes", {})
    names = sorted(attributes, key=lambda name: name not in _FIRST)
    audiences = [text(each["name"]) for each in found.get("audienceMemberships", [])]
    return filled({
        "integrationId": found["integrationId"],
        "id": found["id"],
        "attributes": {name: _value(attributes[name]) for name in names[:_MAX_ATTRIBUTES]},
        "moreAttributes": max(len(names) - _MAX_ATTRIBUTES, 0) or None,
        "since": day(found.get("created")),
        "lastActivity": minute(found.get("lastActivity")),
        "closedSessions": found.get("closedSessions"),
        "totalSales": found.get("totalSales"),
        "audiences": audiences[:_MAX_AUDIENCES],
        "moreAudiences": max(len(audiences) - _MAX_AUDIENCES, 0) or None,
    })  # fmt: skip


def _value(value: object) -> object:
    return value if isinstance(value, bool | int | float) else text(value)


# --- Codes and achievements ----------------------------------------------------------------------


class KnownCampaigns:
    """The campaigns of an Application, as far as they are known."""

    def __init__(self, found: Iterable[Campaign] = ()) -> None:
        """Take them as list_campaigns shows them."""
        self._by_id: Mapping[int | None, Campaign] = {each["id"]: each for each in found}

    def __getitem__(self, number: int | None) -> Campaign:
        """Return a campaign by its id; empty if it is not known."""
        return self._by_id.get(number, {})

    def named(self, number: int | None) -> str:
        """Return a campaign's name and id, or only the id; "" for 0, which is no campaign."""
        if not number:
            return ""
        name = text(self[number].get("name", ""))
        return f"{name} ({number})" if name else str(number)

    def held_up(self, number: int | None) -> str:
        """Return the state of a campaign that is known not to be running."""
        state = str(self[number].get("frontendState", ""))
        return "" if state == "running" else state


def coupons(found: Sequence[Coupon], campaigns: KnownCampaigns) -> dict[str, Any]:
    """Return a customer's coupons, usable ones first.

    Args:
        found: as get_customer_inventory shows them, with `state`.
        campaigns: of their Application.
    """
    ordered = sorted(newest(found), key=lambda each: not _is_active(each))
    return _section(ordered, _MAX_COUPONS, "state", lambda each: _coupon(each, campaigns))


def _is_active(coupon: Coupon) -> bool:
    return str(coupon.get("state", "active")).startswith("active")


def _coupon(found: Coupon, campaigns: KnownCampaigns) -> dict[str, Any]:
    number = found.get("campaignId")
    return filled({
        "code": found["value"],
        "campaign": campaigns.named(number),
        "campaignState": campaigns.held_up(number),
        "state": found.get("state"),
        "used": _uses(found),
        "usedByCustomer": found.get("profileRedemptionCount") or None,
        "discountLeft": found.get("discountRemainder"),
        "starts": day(found.get("startDate")) if found.get("state") == "pending" else "",
        "expires": day(found.get("expiryDate")),
    })  # fmt: skip


def _uses(code: Coupon | Referral) -> str:
    limit = code.get("usageLimit", 0)
    return f"{code.get('usageCounter', 0)} of {limit or 'any number'}"


def referrals(found: Sequence[Referral], campaigns: KnownCampaigns) -> dict[str, Any]:
    """Return the codes with which a customer invites friends."""

    def row(each: Referral) -> dict[str, Any]:
        friends = each.get("referredCustomers", [])
        return filled({
            "code": each["code"],
            "campaign": campaigns.named(each.get("campaignId")),
            "used": _uses(each),
            "friends": [text(friend) for friend in friends[:_MAX_FRIENDS]],
            "expires": day(each.get("expiryDate")),
        })  # fmt: skip

    used = sum(each.get("usageCounter", 0) for each in found)
    section = _section(newest(found), _MAX_REFERRALS, "", row)
    return section and {"redemptions": used, **section}


def achievements(found: Sequence[Achievement], campaigns: KnownCampaigns) -> dict[str, Any]:
    """Return how far a customer is in achievements, those in progress first."""

    def row(each: Achievement) -> dict[str, Any]:
        return filled({
            "title": text(each.get("title") or each["name"]),
            "progress": f"{each.get('progress', 0):g} of {each['target']:g}",
            "status": each.get("status"),
            "completed": day(each.get("completionDate")),
            "until": day(each.get("endDate")),
            "campaign": campaigns.named(each.get("campaignId")),
        })  # fmt: skip

    begun = [each for each in found if each.get("status") != "not_started"]
    begun.sort(key=lambda each: str(each.get("startDate", "")), reverse=True)
    begun.sort(key=lambda each: each.get("status") != "inprogress")
    return _section(begun, _MAX_ACHIEVEMENTS, "status", row)


def giveaways(found: Sequence[Giveaway]) -> dict[str, Any]:
    """Return the giveaways that a customer was awarded: codes that are redeemed elsewhere."""

    def row(each: Giveaway) -> dict[str, Any]:
        return filled({
            "code": each["code"],
            "poolId": each.get("poolId"),
            "expires": day(each.get("endDate")),
        })  # fmt: skip

    return _section(newest(found), _MAX_GIVEAWAYS, "", row)


def _section(
    rows: Sequence[_Entry], size: int, counted: str, show: Callable[[_Entry], dict[str, Any]]
) -> dict[str, Any]:
    """Return how many rows there are, and what is shown of the first.

    Args:
        rows: the rows, the most important first.
        size: how many are shown.
        counted: a field by whose values they are counted; "" to count them all together.
        show: returns what is shown of one.
    """
    if not rows:
        return {}
    counts: object = len(rows)
    if counted:
        counts = dict(Counter(str(each.get(counted, "unknown")) for each in rows))
    shown = [show(each) for each in rows[:size]]
    more = len(rows) - len(shown)
    return {"count": counts, "shown": shown} | ({"notShown": more} if more else {})
