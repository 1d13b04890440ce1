"""Customers listed and searched, in the whole account or in one Application."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.customers.audiences import names_of
from talonone_mcp.sandbox.customers.profile_records import has_met, meeting_with
from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    among,
    column,
    equal,
    has_attributes,
    having_id,
)
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.ledgers.memberships import memberships_of


def profile_shown(call: SandboxCall, profile: Document) -> Document:
    """Return a profile as upstream shows it: with its memberships."""
    return _all_shown(call, [profile])[0]


def _all_shown(call: SandboxCall, profiles: list[Document]) -> list[Document]:
    customers = [profile["integrationId"] for profile in profiles]
    programs, audiences = memberships_of(call, customers), names_of(call.store, customers)
    return [
        profile
        | {
            "loyaltyMemberships": programs[profile["integrationId"]],
            "audienceMemberships": audiences[profile["integrationId"]],
        }
        for profile in profiles
    ]


def _all_shown_in(call: SandboxCall, meetings: list[Document]) -> list[Document]:
    """Return profiles as upstream shows them in the Application that knows the customers."""
    numbers = [meeting["customerId"] for meeting in meetings]
    profiles = call.store.select("customers", having_id(numbers)) if numbers else []
    by_id = {profile["id"]: profile for profile in _all_shown(call, profiles)}
    return [_introduced(by_id[meeting["customerId"]], meeting) for meeting in meetings]


def _introduced(profile: Document, meeting: Document) -> Document:
    advocate = meeting.get("advocateIntegrationId")
    return profile | ({"advocateIntegrationId": advocate} if advocate else {})


def list_customer_profiles(call: SandboxCall) -> Reply:
    sandbox = equal("sandbox", bool(call.arguments.get("sandbox")))
    return 200, page(
        call, "customers", sandbox, total=False, present_all=lambda found: _all_shown(call, found)
    )


def search_customer_profiles(call: SandboxCall) -> Reply:
    # The plus keeps SQLite from the index of this flag, which nearly all customers share.
    sandbox = Condition(f"+{column('sandbox')} = ?", (bool(call.arguments.get("sandbox")),))
    return 200, page(
        call,
        "customers",
        *_criteria(call),
        sandbox,
        total=False,
        present_all=lambda found: _all_shown(call, found),
    )


def _criteria(call: SandboxCall) -> list[Where]:
    asked = call.arguments
    return [
        has_attributes(asked.get("attributes")),
        among("integrationId", asked.get("integrationIDs")),
        having_id(asked["profileIDs"]) if asked.get("profileIDs") else None,
    ]


def get_customer_profile(call: SandboxCall) -> Reply:
    return 200, profile_shown(call, call.get("customers", "customerId"))


def list_application_customers(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    return 200, page(
        call,
        "application_customers",
        equal("integrationId", call.arguments.get("integrationId")),
        parent=application,
        total=bool(call.arguments.get("withTotalResultSize")),
        present_all=lambda found: _all_shown_in(call, found),
    )


def search_application_customers(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    return 200, page(
        call,
        "customers",
        *_criteria(call),
        has_met(application),
        total=bool(call.arguments.get("withTotalResultSize")),
        present_all=lambda found: _all_shown_in(call, [met_customer(call, each) for each in found]),
    )


def get_application_customer(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    meeting = met_customer(call, call.get("customers", "customerId"))
    return 200, _all_shown_in(call, [meeting])[0]


def met_customer(call: SandboxCall, profile: Document) -> Document:
    """Return the record that the request's Application knows a customer.

    Raises:
        RefusalError: 404, when it does not.
    """
    application = call.arguments["applicationId"]
    meeting = meeting_with(call.store, application, profile["integrationId"])
    if meeting is None:
        raise RefusalError(
            404,
            f"customer {profile['id']} does not exist in application {application}",
            resource="customer",
        )
    return meeting


HANDLERS: Mapping[str, Handler] = {
    "list_customer_profiles": list_customer_profiles,
    "search_customer_profiles": search_customer_profiles,
    "get_customer_profile": get_customer_profile,
    "list_application_customers": list_application_customers,
    "search_application_customers": search_application_customers,
    "get_application_customer": get_application_customer,
}
