"""The sentences of check_coupon: what a support agent can say of a code.

What people wrote, such as a code or a name, stands in them on one line, in quotation marks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from talonone_mcp.core.text import one_line
from talonone_mcp.workflows.code_search import Hit, Place, Searched
from talonone_mcp.workflows.obstacles import Problem

_QUOTED = 80  # characters of a code, a name or an id
_FIRST = 3  # characters that are no plain ones, and are named

_SAYS: Mapping[str, str] = {
    "campaign_disabled": "its campaign is disabled",
    "campaign_archived": "its campaign is archived",
    "campaign_staged": "its campaign is staged, not yet running",
    "campaign_scheduled": "its campaign starts on {startTime}",
    "campaign_expired": "its campaign ended on {endTime}",
    "campaign_out_of_budget": "its campaign's budget for {action} is used up ({used} of {limit})",
    "expired": "it expired on {expiryDate}",
    "not_started": "it is valid only from {startDate}",
    "reserved_for_another": "it is for customer {recipientIntegrationId} alone",
    "used_up": "it is used up ({used} of {limit})",
    "used_up_by_this_customer": "each customer may redeem it {limit} times",
    "discount_used_up": "its discount is used up ({discountCounter} of {discountLimit})",
}
_RESERVED = "only customers who have it reserved may use it ({reservationCounter} have)"


def quoted(text: object) -> str:
    """Return what somebody wrote as it stands in a sentence."""
    return f'"{one_line(str(text), _QUOTED)}"'


def in_place(place: Place) -> str:
    """Return where a coupon is."""
    return f"in {quoted(place.name)} ({place.id})" if place.name else f"in Application {place.id}"


def because(problems: Iterable[Problem]) -> str:
    """Return what stands against a coupon, the decisive problem first."""
    return "; ".join(dict.fromkeys(map(_said, problems)))


def _said(problem: Problem) -> str:
    facts = dict(problem.facts)
    if "recipientIntegrationId" in facts:
        facts["recipientIntegrationId"] = quoted(facts["recipientIntegrationId"])
    elif problem.reason == "reserved_for_another":
        return _RESERVED.format(**facts)
    if "usageCounter" in facts:
        facts |= {"used": facts["usageCounter"], "limit": facts["usageLimit"]}
    facts = {"startTime": "a later day", "endTime": "an earlier day"} | facts
    period = f" ({facts['period']})" if "period" in facts else ""
    return _SAYS[problem.reason].format(**facts) + period


def usable(coupon: Mapping[str, Any]) -> str:
    """Return what is left of a coupon that can be used."""
    limit, used = coupon.get("usageLimit", 0), coupon.get("usageCounter", 0)
    parts = [f"{limit - used} of {limit} uses left" if limit else f"used {used} times, no limit"]
    if coupon.get("discountLimit"):
        left = round(coupon["discountLimit"] - coupon.get("discountCounter", 0), 2)
        parts.append(f"{left} of {coupon['discountLimit']} discount left")
    if "expiryDate" in coupon:
        parts.append(f"until {coupon['expiryDate']}")
    return ", ".join(parts)


def absence(
    code: str, here: Sequence[Searched], elsewhere: Sequence[Hit], similar: Sequence[str]
) -> str:
    """Return what is said of a code that was not found where it was looked for."""
    failed = [each.place for each in here if each.failed]
    if failed or not here:
        places = " or ".join(map(in_place, failed)) or "in any Application"
        return f"Whether {quoted(code)} is a coupon is not known: no search {places} succeeded."
    places = " or ".join(in_place(each.place) for each in here)
    if elsewhere:
        others = " and ".join(in_place(each.place) for each in elsewhere)
        return f"{quoted(code)} is no coupon {places}, but one {others}, where alone it works."
    said = f"{quoted(code)} is no coupon {places}."
    if similar:
        codes = ", ".join(map(quoted, similar))
        return f"{said} There, upper and lower case differ, and {codes} is one."
    return said + _odd(code)


def _odd(code: str) -> str:
    """Name the characters that are easily taken for others."""
    odd = dict.fromkeys(each for each in code if not (each.isascii() and each.isprintable()))
    names = [unicodedata.name(each, f"U+{ord(each):04X}") for each in odd]
    if names:
        return f" It was given with {', '.join(names[:_FIRST])}: compare it with the original."
    return " It was given with blanks in it." if " " in code else ""
