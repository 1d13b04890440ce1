"""Roles as groups that an identity provider creates, changes and removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.scim.patch import apply_to_group, patched
from talonone_mcp.sandbox.scim.resources import (
    PROVISIONED,
    answer_list,
    group_resource,
    provisioned,
)
from talonone_mcp.sandbox.team.roles import check_name, new_role, set_members


def list_scim_groups(call: SandboxCall) -> Reply:
    roles = call.store.select("roles", PROVISIONED)
    return 200, answer_list(call, [group_resource(call.store, role) for role in roles])


def get_scim_group(call: SandboxCall) -> Reply:
    return 200, group_resource(call.store, provisioned(call, "roles", "groupId"))


def create_scim_group(call: SandboxCall) -> Reply:
    name = call.arguments.get("displayName", "")
    check_name(call.store, name, status=409)
    role = new_role(call.store, stamp(call.now), name, provisioned=True)
    set_members(call.store, stamp(call.now), role["id"], _numbers(call.arguments.get("members")))
    return 201, group_resource(call.store, role)


def _numbers(members: Sequence[Document] | None) -> list[int]:
    values = [str(member.get("value", "")) for member in members or ()]
    if wrong := [each for each in values if not each.isdecimal()]:
        said = f"invalidValue: {wrong[0]!r} is no user's id"
        raise RefusalError(400, said, pointer="/members")
    return [int(each) for each in values]


def _changed(call: SandboxCall, role: Document, group: Document) -> Reply:
    now, name = stamp(call.now), group.get("displayName", "")
    check_name(call.store, name, role["id"], status=409)
    set_members(call.store, now, role["id"], _numbers(group.get("members")))
    changed = call.store.replace("roles", role | {"name": name, "modified": now})
    return 200, group_resource(call.store, changed)


def replace_scim_group(call: SandboxCall) -> Reply:
    return _changed(call, provisioned(call, "roles", "groupId"), call.body)


def patch_scim_group(call: SandboxCall) -> Reply:
    role = provisioned(call, "roles", "groupId")
    operations = call.arguments["Operations"]
    resource = group_resource(call.store, role)
    return _changed(call, role, patched(resource, operations, apply_to_group))


def delete_scim_group(call: SandboxCall) -> Reply:
    role = provisioned(call, "roles", "groupId")
    set_members(call.store, stamp(call.now), role["id"], ())
    call.store.delete("roles", role["id"])
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "list_scim_groups": list_scim_groups,
    "get_scim_group": get_scim_group,
    "create_scim_group": create_scim_group,
    "replace_scim_group": replace_scim_group,
    "patch_scim_group": patch_scim_group,
    "delete_scim_group": delete_scim_group,
}
