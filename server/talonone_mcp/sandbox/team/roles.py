"""Roles: what their members may do. A user's document lists their roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from talonone_mcp.sandbox.documents.conditions import Condition, among, equal, holds
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.team.users import change_user

_INTERNAL = ("provisioned",)  # by SCIM; upstream shows it to nobody


def new_role(store: DocumentStore, at: str, name: str, **settings: Any) -> Document:
    """Store and return a role, which permits nothing by default.

    Args:
        store: where to.
        at: when.
        name: no other role's.
        settings: the fields that differ from that.
    """
    role = {
        "created": at,
        "modified": at,
        "accountId": ACCOUNT_ID,
        "name": name,
        "description": "",
        "permissions": {"permissionSets": [], "roles": {}},
        "isReadonly": False,
        **settings,
    }
    return store.add("roles", role)


def members_of(store: DocumentStore, role: int) -> list[Document]:
    """Return the users who have a role."""
    return store.select("users", holds("roles", role))


def set_members(store: DocumentStore, at: str, role: int, members: Iterable[int]) -> None:
    """Give a role to exactly these users.

    Raises:
        RefusalError: 400, when one of them does not exist.
    """
    wanted = set(members)
    found = {user["id"]: user for user in store.select("users", among("id", sorted(wanted)))}
    if unknown := sorted(wanted - found.keys()):
        raise RefusalError(400, f"user {unknown[0]} does not exist", pointer="/members")
    present = {user["id"]: user for user in members_of(store, role)}
    for number in sorted(present.keys() - wanted):
        roles = [each for each in present[number]["roles"] if each != role]
        change_user(store, at, present[number], roles=roles)
    for number in sorted(wanted - present.keys()):
        change_user(store, at, found[number], roles=[*found[number]["roles"], role])


def check_name(store: DocumentStore, name: str, role: int = 0, *, status: int = 400) -> None:
    """Refuse a name that another role has.

    Raises:
        RefusalError: with the status.
    """
    if store.count("roles", equal("name", name), Condition("id <> ?", (role,))):
        raise RefusalError(status, f"there is a role {name} already", pointer="/name")


def _present(store: DocumentStore, role: Document) -> Document:
    shown = {key: value for key, value in role.items() if key not in _INTERNAL}
    return shown | {"members": [user["id"] for user in members_of(store, role["id"])]}


def list_roles(call: SandboxCall) -> Reply:
    roles = [_present(call.store, role) for role in call.store.select("roles")]
    return 200, {"totalResultSize": len(roles), "data": roles}


def get_role(call: SandboxCall) -> Reply:
    return 200, _present(call.store, call.get("roles", "roleId"))


def update_role(call: SandboxCall) -> Reply:
    role, given, now = call.get("roles", "roleId"), dict(call.body), stamp(call.now)
    if role["isReadonly"]:
        raise RefusalError(400, f"role {role['name']} cannot be changed", resource="role")
    if "name" in given:
        check_name(call.store, given["name"], role["id"])
    members = given.pop("members", None)
    if members is not None:
        set_members(call.store, now, role["id"], members)
    changed = call.store.replace("roles", role | given | {"modified": now})
    return 200, _present(call.store, changed)


HANDLERS: Mapping[str, Handler] = {
    "list_roles": list_roles,
    "get_role": get_role,
    "update_role": update_role,
}
