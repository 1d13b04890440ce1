"""Coupons from CSV and as CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.campaigns.campaign_records import add_to_counters
from talonone_mcp.sandbox.codes.code_files import codes_in
from talonone_mcp.sandbox.codes.coupons import (
    code_label,
    coupon_filters,
    new_coupon,
    of_application,
)
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.code_patterns import new_batch
from talonone_mcp.sandbox.handling.csv_files import CsvExport, date_for_export
from talonone_mcp.sandbox.handling.import_records import imported

_LEAST = 3  # characters of a code, https://docs.talon.one/management-api: importCoupons

_OPTIONAL = ("expirydate", "startdate", "recipientintegrationid", "limitval", "discountlimit",
             "attributes")  # fmt: skip


def import_coupons(call: SandboxCall) -> Reply:
    campaign = call.get("campaigns", "campaignId", parent="applicationId")
    common = {"created": stamp(call.now), "batchId": new_batch(call)}
    created = 0
    for line, settings in codes_in(call, "Coupon", ("value",), _OPTIONAL):
        code = settings.pop("value")
        if len(code) < _LEAST:
            raise RefusalError(400, f"value must have at least {_LEAST} characters", line=line)
        if call.store.find("coupons", code_label(campaign["applicationId"], code)) is None:
            new_coupon(call.store, campaign, code, common | settings)
            created += 1
        elif not call.arguments.get("skipDuplicates"):
            raise RefusalError(400, f"coupon {code} exists", line=line)
    add_to_counters(call.store, campaign["id"], couponCreationCount=created)
    return 200, imported(call, "Coupon", created)


_EXPORTED = ("accountid", "applicationid", "attributes", "batchid", "campaignid", "counter",
             "created", "deleted", "discount_counter", "discount_limitval", "expirydate", "id",
             "importid", "is_reservation_mandatory", "limits", "limitval",
             "recipientintegrationid", "referralid", "reservation", "reservation_counter",
             "reservation_limitval", "startdate", "value")  # fmt: skip


def export_coupons(call: SandboxCall) -> Reply:
    where = [of_application(call), *coupon_filters(call.arguments, call.now)]
    rows = (_exported(coupon, call) for coupon in call.store.each("coupons", *where))
    return 200, CsvExport(("value",) if call.arguments.get("valuesOnly") else _EXPORTED, rows)


def _exported(coupon: Document, call: SandboxCall) -> dict[str, Any]:
    return {
        "accountid": ACCOUNT_ID,
        "applicationid": call.arguments["applicationId"],
        "attributes": json.dumps(coupon["attributes"]),
        "batchid": coupon.get("batchId"),
        "campaignid": coupon["campaignId"],
        "counter": coupon["usageCounter"],
        "created": date_for_export(coupon, "created", call),
        "deleted": "false",
        "discount_counter": coupon.get("discountCounter", 0),
        "discount_limitval": coupon.get("discountLimit"),
        "expirydate": date_for_export(coupon, "expiryDate", call),
        "id": coupon["id"],
        "importid": coupon.get("importId"),
        "is_reservation_mandatory": str(coupon["isReservationMandatory"]).lower(),
        "limits": json.dumps(coupon.get("limits", [])),
        "limitval": coupon["usageLimit"],
        "recipientintegrationid": coupon.get("recipientIntegrationId"),
        "referralid": coupon.get("referralId"),
        "reservation": str(coupon["reservation"]).lower(),
        "reservation_counter": coupon["reservationCounter"],
        "reservation_limitval": coupon.get("reservationLimit"),
        "startdate": date_for_export(coupon, "startDate", call),
        "value": coupon["value"],
    }


HANDLERS: Mapping[str, Handler] = {
    "import_coupons": import_coupons,
    "export_coupons": export_coupons,
}
