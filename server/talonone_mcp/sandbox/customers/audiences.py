"""Audiences, and which customers are in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from talonone_mcp.sandbox.documents.conditions import among
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page, page_of


def names_of(store: DocumentStore, customers: Sequence[str]) -> dict[str, list[Document]]:
    """Return id and name of each audience that customers are in, as their profiles show them."""
    found: dict[str, list[Document]] = {customer: [] for customer in customers}
    among_them = among("integrationId", customers)
    members = store.select("audience_members", among_them) if customers else []
    numbers = {member["audienceId"] for member in members}
    names = {number: store.get("audiences", number) for number in numbers}
    for member in members:
        if audience := names[member["audienceId"]]:
            shown = {"id": audience["id"], "name": audience["name"]}
            found[member["integrationId"]].append(shown)
    return found


def member_label(audience: int, integration_id: str) -> str:
    """Return the label of a membership."""
    return f"{audience}/{integration_id}"


def join(call: SandboxCall, audience: int, profile: Document) -> None:
    """Make a customer a member if they are not yet."""
    label = member_label(audience, profile["integrationId"])
    if call.store.find("audience_members", label) is None:
        member = {
            "created": stamp(call.now),
            "audienceId": audience,
            "integrationId": profile["integrationId"],
            "customerId": profile["id"],
        }
        call.store.add("audience_members", member, parent=audience, label=label)


def leave(call: SandboxCall, audience: int, integration_id: str) -> None:
    """End a customer's membership, if there is one."""
    member = call.store.find("audience_members", member_label(audience, integration_id))
    if member:
        call.store.delete("audience_members", member["id"])


def members_changed(call: SandboxCall, audiences: Iterable[int]) -> None:
    """Store when the audiences' memberships last changed."""
    for number in audiences:
        audience = call.store.get("audiences", number)
        if audience:
            call.store.replace("audiences", audience | {"lastUpdate": stamp(call.now)})


def check_exist(call: SandboxCall, audiences: Iterable[int], *, status: int, at: str) -> None:
    """Refuse audiences that do not exist.

    Raises:
        RefusalError: with this status, with a pointer to the argument `at`.
    """
    for number in audiences:
        if call.store.get("audiences", number) is None:
            raise RefusalError(status, f"audience {number} does not exist", pointer=f"/{at}")


def list_audiences(call: SandboxCall) -> Reply:
    total = bool(call.arguments.get("withTotalResultSize"))
    return 200, page(call, "audiences", total=total)


def list_audience_analytics(call: SandboxCall) -> Reply:
    texts = [each.strip() for each in call.arguments["audienceIds"].split(",")]
    if not all(map(str.isdigit, texts)):
        raise RefusalError(400, "audienceIds must be numbers", parameter="audienceIds")
    audiences = [
        audience
        for text in dict.fromkeys(texts)
        if (audience := call.store.get("audiences", int(text)))
    ]
    counts = [
        {
            "audienceId": each["id"],
            "membersCount": call.store.count("audience_members", parent=each["id"]),
        }
        for each in audiences
    ]
    sort = call.arguments.get("sort", "")
    field = sort.removeprefix("-")
    if field in ("audienceId", "membersCount"):
        counts.sort(key=lambda each: each[field], reverse=sort.startswith("-"))
    return 200, page_of(call, counts, total=False)


def _check_applications(call: SandboxCall) -> None:
    for number in call.arguments.get("subscribedApplicationsIds", ()):
        if call.store.get("applications", number) is None:
            raise RefusalError(
                400, f"application {number} does not exist", pointer="/subscribedApplicationsIds"
            )


def create_audience(call: SandboxCall) -> Reply:
    asked = call.body
    _check_applications(call)
    label = None
    if "integrationId" in asked:
        label = f"{asked.get('integration', '').lower()}/{asked['integrationId']}"
        if call.store.find("audiences", label):
            raise RefusalError(
                409,
                "an audience with this integrationId exists in this integration",
                pointer="/integrationId",
            )
    audience = {
        "accountId": ACCOUNT_ID,
        "created": stamp(call.now),
        "sandbox": False,
        "description": "",
        "subscribedApplicationsIds": [],
        "createdIn3rdParty": "integrationId" in asked,
        "lastUpdate": stamp(call.now),
    }
    return 201, call.store.add("audiences", audience | asked, label=label)


def update_audience(call: SandboxCall) -> Reply:
    audience = call.get("audiences", "audienceId")
    _check_applications(call)
    return 200, call.store.replace("audiences", audience | call.body)


def delete_audience(call: SandboxCall) -> Reply:
    audience = call.get("audiences", "audienceId")
    call.store.delete_where("audience_members", parent=audience["id"])
    call.store.delete("audiences", audience["id"])
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "list_audiences": list_audiences,
    "list_audience_analytics": list_audience_analytics,
    "create_audience": create_audience,
    "update_audience": update_audience,
    "delete_audience": delete_audience,
}
