"""The members of an audience: listed, changed one by one or all at once, imported and exported."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.customers.audiences import check_exist, join, leave, members_changed
from talonone_mcp.sandbox.customers.profile_lists import profile_shown
from talonone_mcp.sandbox.customers.profile_records import (
    existing_profile,
    known_profile,
    with_attributes,
)
from talonone_mcp.sandbox.documents.conditions import contains, found_in, having_parent
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport, rows_of
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.handling.pages import page

_COLUMN = "profileintegrationid"


def list_audience_members(call: SandboxCall) -> Reply:
    audience = call.get("audiences", "audienceId")["id"]
    part = contains("integrationId", call.arguments.get("profileQuery"))
    if call.arguments.get("sort"):  # by a field of the profiles
        own = having_parent([audience])
        inside = found_in("integrationId", "audience_members", "integrationId", own)
        return 200, page(
            call,
            "customers",
            inside,
            part,
            total=False,
            present=lambda each: profile_shown(call, each),
        )
    return 200, page(
        call,
        "audience_members",
        part,
        parent=audience,
        total=False,
        present=lambda each: profile_shown(call, existing_profile(call, each["integrationId"])),
    )


def import_audience_members(call: SandboxCall) -> Reply:
    audience = call.get("audiences", "audienceId")["id"]
    customers: dict[str, None] = {}
    for line, row in rows_of(call.arguments["csv"], (_COLUMN,)):
        if not row[_COLUMN].strip():
            raise RefusalError(400, f"{_COLUMN} is empty", line=str(line))
        customers[row[_COLUMN]] = None
    call.store.delete_where("audience_members", parent=audience)
    for customer in customers:
        join(call, audience, known_profile(call, customer))
    members_changed(call, [audience])
    return 200, imported(call, "AudienceMembership", len(customers))


def export_audience_members(call: SandboxCall) -> Reply:
    audience = call.get("audiences", "audienceId")["id"]
    members = call.store.each("audience_members", parent=audience)
    return 200, CsvExport((_COLUMN,), ({_COLUMN: each["integrationId"]} for each in members))


def delete_audience_members(call: SandboxCall) -> Reply:
    audience = call.get("audiences", "audienceId")["id"]
    call.store.delete_where("audience_members", parent=audience)
    members_changed(call, [audience])
    return 204, None


def update_profile_audiences(call: SandboxCall) -> Reply:
    changes = call.arguments.get("data", [])
    for index, change in enumerate(changes):
        at = f"data/{index}/audienceId"
        check_exist(call, [change["audienceId"]], status=404, at=at)
    for change in changes:
        if change["action"] == "add":
            profile = known_profile(call, change["profileIntegrationId"])
            join(call, change["audienceId"], profile)
        else:
            leave(call, change["audienceId"], change["profileIntegrationId"])
    members_changed(call, {change["audienceId"] for change in changes})
    return 204, None


def update_audience_attributes(call: SandboxCall) -> Reply:
    audience = call.get("audiences", "audienceId")["id"]
    given = call.arguments.get("attributes", {})
    attributes.check(call, "CustomerProfile", given, at="")
    for member in call.store.each("audience_members", parent=audience):
        profile = existing_profile(call, member["integrationId"])
        call.store.replace("customers", with_attributes(profile, given))
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "list_audience_members": list_audience_members,
    "import_audience_members": import_audience_members,
    "export_audience_members": export_audience_members,
    "delete_audience_members": delete_audience_members,
    "update_profile_audiences": update_profile_audiences,
    "update_audience_attributes": update_audience_attributes,
}
