"""The sentences of check_coupon: what a support agent can say about a code.

What people wrote, such as a code or a name, is quoted on one line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from talonone_mcp.core.names import in_words
from talonone_mcp.workflows.answer_format import quoted
from talonone_mcp.workflows.code_search import Hit, NamedApplication, Searched
from talonone_mcp.workflows.obstacles import Obstacle
from talonone_mcp.workflows.upstream_types import Coupon

_MAX_NAMED_CHARACTERS = 3

_SAYS: Mapping[str, str] = {
    "campaign_disabled": "its campaign is disabled",
    "campaign_archived": "its campaign is archived",
    "campaign_staged": "its campaign is staged, not yet running",
    "campaign_scheduled": "its campaign starts on {startTime}",
    "campaign_expired": "its campaign ended on {endTime}",
    "campaign_out_of_budget": "its campaign's budget for {action} is used up ({used} of {limit})",
    "expired": "it expired on {expiryDate}",
    "not_started": "it is not valid before {startDate}",
    "reserved_for_another": "it is only for customer {recipientIntegrationId}",
    "used_up": "it is used up ({used} of {limit})",
    "used_up_by_this_customer": "redemptions per customer are limited to {limit}",
    "discount_used_up": "its discount is used up ({discountCounter} of {discountLimit})",
}
_RESERVED = "only customers who have it reserved may use it ({reservationCounter} of them)"


def in_application(application: NamedApplication) -> str:
    """Return where a coupon is."""
    if application.name:
        return f"in {quoted(application.name)} ({application.id})"
    return f"in Application {application.id}"


def because(obstacles: Iterable[Obstacle]) -> str:
    """Return what keeps a coupon from working, the decisive obstacle first."""
    return "; ".join(dict.fromkeys(map(_said, obstacles)))


def _said(obstacle: Obstacle) -> str:
    facts = dict(obstacle.facts)
    if "recipientIntegrationId" in facts:
        facts["recipientIntegrationId"] = quoted(facts["recipientIntegrationId"])
    elif obstacle.reason == "reserved_for_another":
        return _RESERVED.format(**facts)
    if "usageCounter" in facts:
        facts |= {"used": facts["usageCounter"], "limit": facts["usageLimit"]}
    facts = {"startTime": "a later day", "endTime": "an earlier day"} | facts
    period = f" ({facts['period']})" if "period" in facts else ""
    return _SAYS[obstacle.reason].format(**facts) + period


def usable(coupon: Coupon) -> str:
    """Return what is left of a coupon that works."""
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
    """Return what to say of a code that was not found where it was searched for."""
    failed = [each.application for each in here if each.failed]
    if failed or not here:
        where = in_words(map(in_application, failed), "or") or "in any Application"
        return f"It is not known whether {quoted(code)} is a coupon: no search {where} succeeded."
    where = in_words((in_application(each.application) for each in here), "or")
    if elsewhere:
        others = in_words(in_application(each.application) for each in elsewhere)
        return f"{quoted(code)} is not a coupon {where}. It works only {others}."
    said = f"{quoted(code)} is not a coupon {where}."
    if similar:
        codes = in_words(map(quoted, similar))
        return f"{said} Codes are case-sensitive there; similar ones: {codes}."
    return said + _odd(code)


def _odd(code: str) -> str:
    """Name the characters that are easily mistaken for others."""
    odd = dict.fromkeys(each for each in code if not (each.isascii() and each.isprintable()))
    names = [unicodedata.name(each, f"U+{ord(each):04X}") for each in odd]
    if names:
        named = in_words(names[:_MAX_NAMED_CHARACTERS])
        return f" The code as given contains {named}: compare it with the original."
    return " The code as given contains spaces." if " " in code else ""
