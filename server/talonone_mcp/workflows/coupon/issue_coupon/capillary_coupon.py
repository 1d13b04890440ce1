"""Issue codes of Capillary's coupon series, to Capillary's own customers."""

from __future__ import annotations

import re
from typing import Any

from talonone_mcp.core.errors import CallError
from talonone_mcp.workflows.coupon.issue_coupon.coupon_terms import IssueRequest, code_in
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
_TAKEN = ("customer", "seriesId")  # the only arguments that Capillary takes
_EACH_TIME = (
    "Capillary issues a new code on each call, and registers a customer that it does not know."
)


async def issue_of_series(steps: Steps, request: IssueRequest) -> dict[str, Any]:
    """Issue a code of a series.

    Raises:
        CallError: `invalid_arguments` if it should have terms of its own, which the series sets;
            or whatever else kept it from being issued.
    """
    others = [name for name in request if name not in _TAKEN]
    if others:
        problem = "cannot be combined with seriesId"
        raise CallError(
            "invalid_arguments",
            "No code was issued: the series sets the terms of a Capillary coupon.",
            details=[{"at": name, "problem": problem} for name in others],
            hint="Leave these out, or give a Talon.One campaign in place of seriesId.",
        )
    identifier = identifier_of(request["customer"])
    answer = await steps.call(
        "capillary_issue_coupon",
        seriesId=request["seriesId"],
        customer=identifier,
    )
    customer = answer.get("customer", {})
    return {
        "issued": True,
        "code": code_in(answer, "code", "Capillary"),
        **({"couponId": answer["id"]} if "id" in answer else {}),
        **{name: answer[theirs] for theirs, name in _SHOWN.items() if theirs in answer},
        "seriesId": answer.get("seriesId", request["seriesId"]),
        "customer": request["customer"],
        "customerTakenFor": identifier,
        **({"capillaryCustomerId": customer["id"]} if "id" in customer else {}),
        "notes": [_EACH_TIME],
    }


def identifier_of(customer: str) -> dict[str, str]:
    """Return the identifier that Capillary knows a customer by, judged by how the text looks.

    A mobile number begins with + and the country code; Capillary stores only its digits.
    """
    if "@" in customer:
        return {"email": customer.strip()}
    if _MOBILE.fullmatch(customer.strip()):
        return {"mobile": re.sub("[^0-9]", "", customer)}
    return {"externalId": customer}
