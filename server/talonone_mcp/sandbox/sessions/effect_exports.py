"""Effects of rules as a CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.documents.time_ranges import best_order, created_within
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport, date_for_export

# https://docs.talon.one/management-api: exportEffects. The field of an effect behind each column
_COLUMNS: Mapping[str, str] = {
    "applicationid": "applicationId",
    "campaignid": "campaignId",
    "couponid": "triggeredByCoupon",
    "created": "created",
    "event_type": "eventType",
    "eventid": "eventId",
    "name": "effectType",
    "profileintegrationid": "profile",
    "props": "props",
    "ruleindex": "ruleIndex",
    "rulesetid": "rulesetId",
    "sessionid": "sessionId",
    "profileid": "profileId",
    "sessionintegrationid": "session",
    "total_revenue": "total",
    "store_integration_id": "storeIntegrationId",
}


def export_effects(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    asked = call.arguments
    time = created_within(
        "effects", application, asked.get("createdAfter"), asked.get("createdBefore")
    )
    others = (equal("campaignId", asked.get("campaignId")),)
    where = best_order(application, time, others=others)
    rows = (_row(call, effect) for effect in call.store.each("effects", *where))
    return 200, CsvExport(tuple(_COLUMNS), rows)


def _row(call: SandboxCall, effect: Document) -> dict[str, Any]:
    row = {column: effect.get(name, "") for column, name in _COLUMNS.items()}
    props = {"props": json.dumps(effect["props"])}
    return row | props | {"created": date_for_export(effect, "created", call)}


HANDLERS: Mapping[str, Handler] = {"export_effects": export_effects}
