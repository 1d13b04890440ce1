"""The log of exports: who exported which data, by which filters."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.logs.retention import keep_entry

# What an export is a list of, by upstream's names: https://docs.talon.one/management-api
_ENTITIES: Mapping[str, str] = {
    "export_account_collection": "Collection",
    "export_campaign_collection": "Collection",
    "export_coupons": "Coupon",
    "export_customer_sessions": "CustomerSession",
    "export_effects": "Effect",
    "export_loyalty_balance": "LoyaltyLedger",
    "export_loyalty_balances": "LoyaltyLedger",
    "export_loyalty_card_balances": "LoyaltyLedger",
    "export_loyalty_card_ledger": "LoyaltyLedgerLog",
    "export_loyalty_ledger": "LoyaltyLedgerLog",
    "export_referrals": "Referral",
}


def record_export(call: SandboxCall) -> None:
    """Log an export, if upstream has a name for its content."""
    entity = _ENTITIES.get(call.operation.name)
    if entity is None:
        return
    entry = {
        "created": stamp(call.now),
        "accountId": ACCOUNT_ID,
        "userId": call.user_id,
        "entity": entity,
        "filter": dict(call.arguments),
    }
    keep_entry(call.store, "exports", entry, call.limits)


def list_exports(call: SandboxCall) -> Reply:
    asked = call.arguments
    return 200, page(
        call,
        "exports",
        equal("entity", asked.get("entity")),
        equal("filter.applicationId", asked.get("applicationId")),
        equal("filter.campaignId", asked.get("campaignId")),
        total=True,
    )


HANDLERS: Mapping[str, Handler] = {"list_exports": list_exports}
