"""Customers' profiles, which all Applications of the account share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.documents.conditions import Condition
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall


def new_profile(integration_id: str, created: str) -> Document:
    """Return an empty profile."""
    return {
        "created": created,
        "integrationId": integration_id,
        "attributes": {},
        "accountId": ACCOUNT_ID,
        "closedSessions": 0,
        "totalSales": 0,
        "lastActivity": created,
        "sandbox": False,
    }


def find_profile(store: DocumentStore, integration_id: str) -> Document | None:
    """Return a customer's profile, if there is one."""
    return store.find("customers", integration_id)


def existing_profile(call: SandboxCall, integration_id: str) -> Document:
    """Return a customer's profile.

    Raises:
        RefusalError: 404, when there is none.
    """
    profile = find_profile(call.store, integration_id)
    if profile is None:
        raise RefusalError(404, f"customer {integration_id} does not exist", resource="profile")
    return profile


def known_profile(call: SandboxCall, integration_id: str) -> Document:
    """Return a customer's profile, creating it on first mention.

    No Application knows a customer created this way; `profile_of` records that.
    """
    known = find_profile(call.store, integration_id)
    if known is not None:
        return known
    profile = new_profile(integration_id, stamp(call.now))
    return call.store.add("customers", profile, label=integration_id)


def profile_of(call: SandboxCall, integration_id: str) -> Document:
    """Return a customer's profile, creating it, and record that the calling Application knows them.

    In the APIs without an Application it is `known_profile`.
    """
    profile = known_profile(call, integration_id)
    application = call.application_id
    if application and meeting_with(call.store, application, integration_id) is None:
        meeting = new_meeting(profile, stamp(call.now))
        label = met_label(application, integration_id)
        call.store.add("application_customers", meeting, parent=application, label=label)
    return profile


# --- Which Application has met whom --------------------------------------------------------------


def new_meeting(profile: Document, created: str) -> Document:
    """Return the record that an Application knows a customer."""
    return {
        "created": created,
        "customerId": profile["id"],
        "integrationId": profile["integrationId"],
    }


def met_label(application: int, integration_id: str) -> str:
    """Return the label of that record."""
    return f"{application}/{integration_id}"


def meeting_with(store: DocumentStore, application: int, integration_id: str) -> Document | None:
    """Return the record that an Application knows a customer, if it does."""
    return store.find("application_customers", met_label(application, integration_id))


def has_met(application: int) -> Condition:
    """Match the customers that an Application knows."""
    return Condition(
        "EXISTS (SELECT 1 FROM application_customers AS met"
        " WHERE met.label = ? || customers.label)",
        (met_label(application, ""),),
    )


# --- What happens to a profile -------------------------------------------------------------------


def with_attributes(document: Document, given: Mapping[str, Any] | None) -> Document:
    """Return a document with attributes changed: others stay, and null removes one."""
    merged = document["attributes"] | dict(given or {})
    kept = {name: value for name, value in merged.items() if value is not None}
    return document | {"attributes": kept}


def count_orders(call: SandboxCall, integration_id: str, orders: int, sales: float) -> Document:
    """Update the counts of a customer's profile after a session, and their last activity.

    Args:
        call: the request.
        integration_id: the customer.
        orders: closed sessions more; negative when they are taken back.
        sales: the sessions' value, in the currency of the Application.
    """
    profile = profile_of(call, integration_id)
    return call.store.replace(
        "customers",
        profile
        | {
            "closedSessions": max(profile["closedSessions"] + orders, 0),
            "totalSales": round(profile["totalSales"] + sales, 2),
            "lastActivity": stamp(call.now),
        },
    )
