"""Referrals found, changed and deleted, from CSV and as CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.codes.code_files import codes_in
from talonone_mcp.sandbox.codes.code_validity import check_dates, has_uses_left, is_valid
from talonone_mcp.sandbox.codes.referrals import find_referral, new_referral
from talonone_mcp.sandbox.customers.profile_records import with_attributes
from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    column,
    equal,
    having_parent,
    within,
)
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.code_patterns import new_batch
from talonone_mcp.sandbox.handling.csv_files import CsvExport, date_for_export
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.handling.pages import page


def list_referrals(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    asked = call.arguments
    return 200, page(
        call,
        "referrals",
        _has_code(asked.get("code")),
        equal("advocateProfileIntegrationId", asked.get("advocate")),
        *_filters(call),
        parent=campaign["id"],
        total=False,
    )


def _has_code(code: str | None) -> Where:
    if code is None:
        return None
    return Condition(f"instr(code({column('code')}), code(?)) > 0", (code,))


def _filters(call: SandboxCall) -> list[Where]:
    """Return the conditions for the filters that the list and the export share."""
    asked = call.arguments
    return [
        is_valid(asked.get("valid"), call.now),
        has_uses_left(asked.get("usable")),
        within("created", asked.get("createdAfter"), asked.get("createdBefore")),
    ]


def list_referred_friends(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    return 200, page(
        call,
        "referred_friends",
        equal("applicationId", application),
        equal("advocateIntegrationId", call.arguments["integrationId"]),
        total=bool(call.arguments.get("withTotalResultSize")),
    )


_CLEARED = ("startDate", "expiryDate")  # without them, it is valid from the start, and for ever


def update_referral(call: SandboxCall) -> Reply:
    referral = _referral(call)
    given = call.body
    check_dates(given)
    attributes.check(call, "Referral", given.get("attributes"))
    kept = {key: value for key, value in referral.items() if key not in _CLEARED}
    changed = with_attributes(kept | given, None)
    return 200, call.store.replace("referrals", changed)


def delete_referral(call: SandboxCall) -> Reply:
    call.store.delete("referrals", _referral(call)["id"])
    return 204, None


def _referral(call: SandboxCall) -> Document:
    call.get("campaigns", "campaignId", parent="applicationId")
    return call.get("referrals", "referralId", parent="campaignId")


def import_referrals(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    required = ("code", "advocateprofileintegrationid")
    optional = ("startdate", "expirydate", "limitval", "attributes")
    lines = list(codes_in(call, "Referral", required, optional))
    record = imported(call, "Referral", len(lines))
    common = {"created": stamp(call.now), "batchId": new_batch(call), "importId": record["id"]}
    for line, settings in lines:
        code = settings.pop("code")
        if find_referral(call.store, campaign["applicationId"], code):
            raise RefusalError(400, f"referral {code} exists", line=line)
        new_referral(call.store, campaign, code, common | settings)
    return 200, record


_EXPORTED = ("code", "advocateprofileintegrationid", "startdate", "expirydate", "limitval",
             "attributes")  # fmt: skip


def export_referrals(call: SandboxCall) -> Reply:
    asked = call.arguments
    application = call.get("applications", "applicationId")
    campaigns = call.store.select(
        "campaigns", equal("id", asked.get("campaignId")), parent=application["id"]
    )
    found = call.store.each(
        "referrals",
        having_parent(each["id"] for each in campaigns),
        equal("batchId", asked.get("batchId")),
        *_filters(call),
    )
    return 200, CsvExport(_EXPORTED, (_exported(each, call) for each in found))


def _exported(referral: Document, call: SandboxCall) -> dict[str, Any]:
    return {
        "code": referral["code"],
        "advocateprofileintegrationid": referral["advocateProfileIntegrationId"],
        "startdate": date_for_export(referral, "startDate", call),
        "expirydate": date_for_export(referral, "expiryDate", call),
        "limitval": referral["usageLimit"],
        "attributes": json.dumps(referral["attributes"]),
    }


HANDLERS: Mapping[str, Handler] = {
    "list_referrals": list_referrals,
    "list_referred_friends": list_referred_friends,
    "update_referral": update_referral,
    "delete_referral": delete_referral,
    "import_referrals": import_referrals,
    "export_referrals": export_referrals,
}
