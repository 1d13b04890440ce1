"""Why sessions refused coupons."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import Condition, Where, column, equal
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall


def explain_coupon_rejections(call: SandboxCall) -> Reply:
    asked = call.arguments
    found = call.store.select(
        "coupon_rejections",
        equal("sessionID", asked["sessionIntegrationId"]),
        equal("applicationId", asked.get("applicationId")),
        _of_code(asked.get("couponCode")),
    )
    language = {"language": asked.get("language", "en")}  # named, not spoken: all are in English
    shown = ({key: each[key] for key in each if key != "applicationId"} for each in found)
    return 200, {"data": [each | language for each in shown]}


def _of_code(code: str | None) -> Where:
    if code is None:
        return None
    return Condition(f"upper({column('couponCode')}) = ?", (code.upper(),))


HANDLERS: Mapping[str, Handler] = {
    "explain_coupon_rejections": explain_coupon_rejections,
}
