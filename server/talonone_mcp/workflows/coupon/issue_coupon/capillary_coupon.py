"""Codes of Capillary's coupon series, for Capillary's own customers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.coupon.issue_coupon.coupon_terms import code_in
from talonone_mcp.workflows.steps import Steps

_MOBILE = re.compile(r"\+[0-9][0-9 ()./-]{5,}")
_SHOWN = {
    "discountCode": "discountCode",
    "discountType": "discountType",
    "discountValue": "discountValue",
    "discountUpto": "discountUpTo",
    "validTill": "validUntil",
    "description": "description",
}
_ALONE = ("customer", "seriesId")  # Capillary takes no others
_EACH_TIME = (
    "Capillary issues another code at each call, and registers a customer whom it does not know."
)


async def issue(steps: Steps, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Issue a code of a series.

    Raises:
        CallError: `invalid_arguments`, when it is to have terms of its own: the series has them;
            whatever else kept it from being issued.
    """
    beside = [name for name in arguments if name not in _ALONE]
    if beside:
        raise CallError(
            "invalid_arguments",
            "No code was issued: a coupon of Capillary's is on the terms of its series.",
            details=[{"at": name, "problem": "does not go with seriesId"} for name in beside],
            hint="Leave these out, or name a campaign of Talon.One's in place of seriesId.",
        )
    identifier = identifier_of(arguments["customer"])
    answer = await steps.call(
        "capillary_issue_coupon",
        seriesId=arguments["seriesId"],
        customer=identifier,
    )
    customer = answer.get("customer", {})
    return {
        "issued": True,
        "code": code_in(answer, "code", "Capillary"),
        **({"couponId": answer["id"]} if "id" in answer else {}),
        **{name: answer[theirs] for theirs, name in _SHOWN.items() if theirs in answer},
        "seriesId": answer.get("seriesId", arguments["seriesId"]),
        "customer": arguments["customer"],
        "customerTakenFor": identifier,
        **({"capillaryCustomerId": customer["id"]} if "id" in customer else {}),
        "notes": [_EACH_TIME],
    }


def identifier_of(customer: str) -> dict[str, str]:
    """Return what a customer is known by in Capillary, as the text looks.

    A mobile number is one that begins with + and the country; Capillary has its digits alone.
    """
    if "@" in customer:
        return {"email": customer.strip()}
    if _MOBILE.fullmatch(customer.strip()):
        return {"mobile": re.sub("[^0-9]", "", customer)}
    return {"externalId": customer}
