"""Figures of one customer in an Application, summed up by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import Condition, among, column, equal
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.sessions.session_records import of_customer


def get_customer_analytics(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    customer = call.get("customers", "customerId")["integrationId"]
    own = of_customer(application, customer)
    closed = among("state", ["closed", "partially_returned"])
    discounted = Condition(f"{column('totalDiscounts')} > 0")
    fields = ("couponRedemptions", "couponRolledbackRedemptions", "campaignFreeItems")
    sums = Counter[str]()
    for each in call.store.sums("campaign_figures", Condition("0"), fields, *own).values():
        sums.update(each)
    return 200, {
        "acceptedCoupons": int(sums["couponRedemptions"] - sums["couponRolledbackRedemptions"]),
        "createdCoupons": call.store.count("coupons", equal("recipientIntegrationId", customer)),
        "freeItems": int(sums["campaignFreeItems"]),
        "totalOrders": call.store.count("sessions", *own, closed),
        "totalDiscountedOrders": call.store.count("sessions", *own, closed, discounted),
        "totalRevenue": round(call.store.total("sessions", "total", *own, closed), 2),
        "totalDiscounts": round(call.store.total("sessions", "totalDiscounts", *own, closed), 2),
    }


HANDLERS: Mapping[str, Handler] = {
    "get_customer_analytics": get_customer_analytics,
}
