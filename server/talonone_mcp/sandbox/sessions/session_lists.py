"""Sessions as the Management API lists and exports them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    contains,
    equal,
    with_child,
    within,
)
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.documents.time_ranges import best_order, created_within
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport, date_for_export
from talonone_mcp.sandbox.handling.pages import page

_SHOWN = ("id", "created", "integrationId", "storeIntegrationId", "applicationId", "state",
          "cartItems", "discounts", "totalDiscounts", "total", "attributes")  # fmt: skip
_LEAST = 3  # characters of a part: https://docs.talon.one/management-api: getApplicationSessions


def application_session(session: Document) -> Document:
    """Return a session as the Management API shows it."""
    shown = {key: session[key] for key in _SHOWN if key in session}
    shown |= {"coupon": ",".join(session["couponCodes"]), "referral": session["referralCode"]}
    if session["profile"]:
        shown |= {"profileId": session["profile"], "profileintegrationid": session["profileId"]}
    return shown


def list_application_sessions(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    asked = call.arguments
    others = (
        equal("state", asked.get("state")),
        _text(call, "profileId", asked.get("profile")),
        _text(call, "integrationId", asked.get("integrationId")),
        _text(call, "storeIntegrationId", asked.get("storeIntegrationId")),
    )
    codes = [_with_code(call, application, kind) for kind in ("coupon", "referral")]
    where = best_order(application, _created(call, application), few=codes, others=others)
    return 200, page(call, "sessions", *where, total=False, present=application_session)


def _created(call: SandboxCall, application: int) -> Where:
    asked = call.arguments
    return created_within(
        "sessions", application, asked.get("createdAfter"), asked.get("createdBefore")
    )


def _is_part(call: SandboxCall, text: str) -> bool:
    return bool(call.arguments.get("partialMatch")) and len(text) >= _LEAST


def _text(call: SandboxCall, field: str, text: str | None) -> Where:
    if text is None:
        return None
    if _is_part(call, text):
        return contains(field, text)
    if field == "integrationId":
        return Condition("label = ?", (f"{call.arguments['applicationId']}/{text}",))
    return equal(field, text)


def _with_code(call: SandboxCall, application: int, kind: str) -> Where:
    """Match sessions with a coupon or referral code, ignoring case."""
    code = call.arguments.get(kind)
    if code is None:
        return None
    wanted = contains("code", code) if _is_part(call, code) else equal("code", code.upper())
    return with_child(
        "session_codes", equal("applicationId", application), wanted, equal("kind", kind)
    )


def get_application_session(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    return 200, application_session(call.get("sessions", "sessionId", parent="applicationId"))


_Column = Callable[[Document], Any]
_COLUMNS: Mapping[str, _Column] = {
    "id": lambda session: session["id"],
    "firstsession": lambda session: str(session["firstSession"]).lower(),
    "integrationid": lambda session: session["integrationId"],
    "applicationid": lambda session: session["applicationId"],
    "profileid": lambda session: session["profile"],
    "profileintegrationid": lambda session: session["profileId"],
    "created": lambda session: session["created"],
    "state": lambda session: session["state"],
    "cartitems": lambda session: json.dumps(session["cartItems"]),
    "discounts": lambda session: json.dumps(session["discounts"]),
    "total": lambda session: session["total"],
    "attributes": lambda session: json.dumps(session["attributes"]),
    "closedat": lambda session: session.get("closedAt", ""),
    "cancelledat": lambda session: session.get("cancelledAt", ""),
    "referral": lambda session: session["referralCode"],
    "identifiers": lambda session: json.dumps(session["identifiers"]),
    "additional_costs": lambda session: json.dumps(session["additionalCosts"]),
    "updated": lambda session: session["updated"],
    "store_integration_id": lambda session: session.get("storeIntegrationId", ""),
    "coupons": lambda session: json.dumps(session["couponCodes"]),
}
_DATES = ("created", "closedat", "cancelledat", "updated")


def export_customer_sessions(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    asked = call.arguments
    others = (
        equal("state", asked.get("customerSessionState")),
        equal("profileId", asked.get("profileIntegrationId")),
        within("updated", asked.get("updatedAfter"), asked.get("updatedBefore")),
    )
    where = best_order(application, _created(call, application), others=others)
    rows = (_row(call, session) for session in call.store.each("sessions", *where))
    return 200, CsvExport(tuple(_COLUMNS), rows)


def _row(call: SandboxCall, session: Document) -> dict[str, Any]:
    row = {name: read(session) for name, read in _COLUMNS.items()}
    return row | {name: date_for_export(row, name, call) for name in _DATES}


HANDLERS: Mapping[str, Handler] = {
    "list_application_sessions": list_application_sessions,
    "get_application_session": get_application_session,
    "export_customer_sessions": export_customer_sessions,
}
