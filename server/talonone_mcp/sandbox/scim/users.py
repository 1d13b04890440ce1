"""Users as an identity provider creates, changes and removes them."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.scim.patch import apply_to_user, patched
from talonone_mcp.sandbox.scim.resources import PROVISIONED, answer_list, provisioned, user_resource
from talonone_mcp.sandbox.team.users import change_user, find_user, new_user, remove_user

_OWN = ("schemas", "id", "userName", "displayName", "active", "meta")  # the rest is kept aside


def list_scim_users(call: SandboxCall) -> Reply:
    users = call.store.select("users", PROVISIONED)
    return 200, answer_list(call, [user_resource(user) for user in users])


def get_scim_user(call: SandboxCall) -> Reply:
    return 200, user_resource(provisioned(call, "users", "userId"))


def create_scim_user(call: SandboxCall) -> Reply:
    given = {"active": True, **call.body}
    _check_name(call, given["userName"])
    settings = {"provisioned": True, "authMethod": "saml", **_fields(given, {"name": ""})}
    email = settings.pop("email")
    return 201, user_resource(new_user(call.store, stamp(call.now), email, **settings))


def _check_name(call: SandboxCall, name: str, user: int | None = None) -> None:
    """Refuse a user name that is not an e-mail address, as upstream requires, or is taken."""
    if "@" not in name.strip("@") or " " in name:
        raise RefusalError(400, "invalidValue: userName must be an e-mail address",
                            pointer="/userName")  # fmt: skip
    other = find_user(call.store, name)
    if other and other["id"] != user:
        raise RefusalError(409, f"uniqueness: {name} is a user already", pointer="/userName")


def _fields(resource: Document, user: Document) -> Document:
    """Return the fields of a user that a resource sets; users are inactive unless set active."""
    name = resource.get("name")
    formatted = name.get("formatted", "") if isinstance(name, dict) else ""
    return {
        "email": resource["userName"],
        "name": resource.get("displayName", formatted or user["name"]),
        "state": "active" if resource["active"] else "deactivated",
        "additionalAttributes": {
            key: value for key, value in resource.items() if key not in _OWN and value
        },
    }


def _changed(call: SandboxCall, user: Document, resource: Document) -> Reply:
    _check_name(call, resource["userName"], user["id"])
    fields = _fields(resource, user)
    return 200, user_resource(change_user(call.store, stamp(call.now), user, **fields))


def replace_scim_user(call: SandboxCall) -> Reply:
    user = provisioned(call, "users", "userId")
    kept = {"active": user["state"] == "active"}
    return _changed(call, user | {"name": ""}, kept | call.body)


def patch_scim_user(call: SandboxCall) -> Reply:
    user = provisioned(call, "users", "userId")
    operations = call.arguments["Operations"]
    return _changed(call, user, patched(user_resource(user), operations, apply_to_user))


def delete_scim_user(call: SandboxCall) -> Reply:
    remove_user(call, provisioned(call, "users", "userId"))
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "list_scim_users": list_scim_users,
    "get_scim_user": get_scim_user,
    "create_scim_user": create_scim_user,
    "replace_scim_user": replace_scim_user,
    "patch_scim_user": patch_scim_user,
    "delete_scim_user": delete_scim_user,
}
