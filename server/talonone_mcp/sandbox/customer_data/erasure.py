"""Erasing a customer's personal data wherever it is stored.

The profile keeps its ids and counts:
https://docs.talon.one/integration-api: deleteCustomerData.
"""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.customers.profile_records import existing_profile
from talonone_mcp.sandbox.documents.conditions import equal, with_child
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.logs import access_log
from talonone_mcp.sandbox.sessions import event_log, session_records

# What has attributes and refers to a customer: the kind, and the field with the integration id
_REFERRING = (
    ("coupons", "recipientIntegrationId"),
    ("giveaways", "profileIntegrationId"),
    ("referrals", "advocateProfileIntegrationId"),
    ("referrals", "friendProfileIntegrationId"),
)


def delete_customer_data(call: SandboxCall) -> Reply:
    profile = existing_profile(call, call.arguments["integrationId"])
    customer = profile["integrationId"]
    call.store.replace("customers", profile | {"attributes": {}})
    for kind, field in _REFERRING:
        for each in call.store.each(kind, equal(field, customer)):
            call.store.replace(kind, each | {"attributes": {}})
    theirs = with_child("loyalty_card_customers", equal("customer", customer))
    for card in call.store.each("loyalty_cards", theirs):
        call.store.replace("loyalty_cards", card | {"attributes": {}})
    session_records.erase(call.store, customer)
    event_log.erase(call.store, customer)
    access_log.erase(call.store, customer)
    return 204, None


HANDLERS: Mapping[str, Handler] = {"delete_customer_data": delete_customer_data}
