"""Why sessions refused coupons."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.handling import Call, Handler, Reply


def explain_coupon_rejections(call: Call) -> Reply:
    asked = call.arguments
    found = [
        {key: value for key, value in each.items() if key != "applicationId"}
        | {"language": asked.get("language", "en")}
        for each in call.store.select("coupon_rejections")
        if each["sessionID"] == asked["sessionIntegrationId"]
        and asked.get("couponCode") in (None, each["couponCode"])
        and asked.get("applicationId") in (None, each["applicationId"])
    ]
    return 200, {"data": found}


HANDLERS: Mapping[str, Handler] = {
    "explain_coupon_rejections": explain_coupon_rejections,
}
