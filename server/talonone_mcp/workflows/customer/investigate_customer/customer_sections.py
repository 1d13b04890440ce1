"""What is shown of a customer's account: a few rows of each kind, and the rest counted.

The sizes are fixed here, so that an answer stays small whatever a customer has.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.obstacles import moment

Row = Mapping[str, Any]

ATTRIBUTES, AUDIENCES = 7, 4
COUPONS, REFERRALS, ACHIEVEMENTS, GIVEAWAYS = 6, 3, 4, 2
PROGRAMS, SUBLEDGERS, CARDS, TRANSACTIONS = 3, 2, 3, 4
REJECTIONS = 3

_TEXT = 60  # characters of what people wrote
_FIRST = ("Name", "Email", "Phone")  # attributes that tell who it is


def text(value: object, limit: int = _TEXT) -> str:
    """Return what people wrote, on one line and not long."""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(written, limit)


def minute(value: object) -> str:
    """Return a time of upstream's in UTC, to the minute."""
    at = moment(value)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") if at else ""


def day(value: object) -> str:
    """Return the day of a time of upstream's, in the time zone in which it came."""
    return value[:10] if isinstance(value, str) else ""


def filled(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what is empty in it; 0 and false are not."""
    return {key: value for key, value in row.items() if value not in (None, "", [], {})}


def newest(rows: Iterable[Row]) -> list[Row]:
    """Return rows by the time at which they came to be, the last one first."""
    return sorted(rows, key=lambda row: (row.get("created", ""), row.get("id", 0)), reverse=True)


def profile(found: Row) -> dict[str, Any]:
    """Return who a customer is."""
    attributes = found.get("attributes", {})
    names = sorted(attributes, key=lambda name: name not in _FIRST)
    audiences = [text(each["name"]) for each in found.get("audienceMemberships", [])]
    return filled({
        "integrationId": found["integrationId"],
        "id": found["id"],
        "attributes": {name: _value(attributes[name]) for name in names[:ATTRIBUTES]},
        "moreAttributes": max(len(names) - ATTRIBUTES, 0) or None,
        "since": day(found.get("created")),
        "lastActivity": minute(found.get("lastActivity")),
        "closedSessions": found.get("closedSessions"),
        "totalSales": found.get("totalSales"),
        "audiences": audiences[:AUDIENCES],
        "moreAudiences": max(len(audiences) - AUDIENCES, 0) or None,
    })  # fmt: skip


def _value(value: object) -> object:
    return value if isinstance(value, bool | int | float) else text(value)


# --- Codes and achievements ----------------------------------------------------------------------


class Campaigns:
    """The campaigns of an Application, as far as they are known."""

    def __init__(self, found: Iterable[Row] = ()) -> None:
        """Take them as list_campaigns shows them."""
        self._by_id = {each["id"]: each for each in found}

    def __getitem__(self, number: int | None) -> Row:
        """Return one; empty when it is not known."""
        return self._by_id.get(number, {})

    def named(self, number: int | None) -> str:
        """Return name and id of one, or the id alone; nothing for 0, which is none."""
        if not number:
            return ""
        name = text(self[number].get("name", ""))
        return f"{name} ({number})" if name else str(number)

    def held_up(self, number: int | None) -> str:
        """Return the state of one that is known not to run."""
        state = str(self[number].get("frontendState", ""))
        return "" if state == "running" else state


def coupons(found: Sequence[Row], campaigns: Campaigns) -> dict[str, Any]:
    """Return a customer's coupons, those first that can be used.

    Args:
        found: as get_customer_inventory shows them, with `state`.
        campaigns: of their Application.
    """
    ordered = sorted(newest(found), key=lambda each: not _is_active(each))
    return _section(ordered, COUPONS, "state", lambda each: _coupon(each, campaigns))


def _is_active(coupon: Row) -> bool:
    return str(coupon.get("state", "active")).startswith("active")


def _coupon(found: Row, campaigns: Campaigns) -> dict[str, Any]:
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


def _uses(code: Row) -> str:
    limit = code.get("usageLimit", 0)
    return f"{code.get('usageCounter', 0)} of {limit or 'any number'}"


def referrals(found: Sequence[Row], campaigns: Campaigns) -> dict[str, Any]:
    """Return the codes with which a customer invites friends."""

    def row(each: Row) -> dict[str, Any]:
        friends = each.get("referredCustomers", [])
        return filled({
            "code": each["code"],
            "campaign": campaigns.named(each.get("campaignId")),
            "used": _uses(each),
            "friends": [text(friend) for friend in friends[:2]],
            "expires": day(each.get("expiryDate")),
        })  # fmt: skip

    used = sum(each.get("usageCounter", 0) for each in found)
    section = _section(newest(found), REFERRALS, "", row)
    return section and {"redemptions": used, **section}


def achievements(found: Sequence[Row], campaigns: Campaigns) -> dict[str, Any]:
    """Return how far a customer is in achievements, those first that are not over."""

    def row(each: Row) -> dict[str, Any]:
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
    return _section(begun, ACHIEVEMENTS, "status", row)


def giveaways(found: Sequence[Row]) -> dict[str, Any]:
    """Return the codes that a customer was given for things of other companies."""

    def row(each: Row) -> dict[str, Any]:
        return filled({
            "code": each["code"],
            "poolId": each.get("poolId"),
            "expires": day(each.get("endDate")),
        })  # fmt: skip

    return _section(newest(found), GIVEAWAYS, "", row)


def _section(rows: Sequence[Row], size: int, counted: str, show: Any) -> dict[str, Any]:
    """Return how many there are, by a field of theirs where that is asked for, and the first."""
    if not rows:
        return {}
    counts: object = len(rows)
    if counted:
        counts = dict(Counter(str(each.get(counted, "unknown")) for each in rows))
    shown = [show(each) for each in rows[:size]]
    more = len(rows) - len(shown)
    return {"count": counts, "shown": shown} | ({"notShown": more} if more else {})
