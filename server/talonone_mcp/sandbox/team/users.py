"""Users: who they are, what they may do, and whether they are active."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.documents.conditions import among, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page

_INTERNAL = ("provisioned",)  # by SCIM; upstream shows it to nobody


def new_user(store: DocumentStore, at: str, email: str, **settings: Any) -> Document:
    """Store and return a user, who is invited and has no rights by default.

    Args:
        store: where to.
        at: when.
        email: nobody else's in the account.
        settings: the fields that differ from that.
    """
    user = {
        "created": at,
        "modified": at,
        "email": email,
        "accountId": ACCOUNT_ID,
        "name": "",
        "state": "invited",
        "inviteToken": "",
        "isAdmin": False,
        "policy": {},
        "roles": [],
        "authMethod": "basic_auth",
        "applicationNotificationSubscriptions": {},
        "additionalAttributes": {},
        **settings,
    }
    return store.add("users", user, label=email.casefold())


def find_user(store: DocumentStore, email: str) -> Document | None:
    """Return the user with an e-mail address, ignoring case."""
    return store.find("users", email.casefold())


def user_shown(user: Document) -> Document:
    """Return a user as upstream shows them."""
    return {key: value for key, value in user.items() if key not in _INTERNAL}


def change_user(store: DocumentStore, at: str, user: Document, **changes: Any) -> Document:
    """Store changed fields of a user; a user who becomes inactive is logged out.

    Raises:
        RefusalError: 400, when another user has the new e-mail address.
    """
    changed = user | changes | {"modified": at}
    if changed["email"] != user["email"]:
        other = find_user(store, changed["email"])
        if other and other["id"] != user["id"]:
            raise RefusalError(400, "another user has this e-mail address", pointer="/email")
        store.relabel("users", user["id"], changed["email"].casefold())
    if changed["state"] != "active":
        store.delete_where("logins", equal("userId", user["id"]))
    return store.replace("users", changed)


def remove_user(call: SandboxCall, user: Document) -> None:
    """Remove a user with their password and sessions.

    Raises:
        RefusalError: 400, when it is who asks for it.
    """
    _refuse_own(call, user, "delete")
    call.store.delete("users", user["id"])
    call.store.delete("passwords", user["id"])
    for kind in ("logins", "password_resets"):
        call.store.delete_where(kind, equal("userId", user["id"]))


def _refuse_own(call: SandboxCall, user: Document, what: str) -> None:
    if user["id"] == call.user_id:
        raise RefusalError(400, f"users cannot {what} themselves", resource="user")


def check_roles(store: DocumentStore, roles: list[int]) -> None:
    """Refuse roles that do not exist.

    Raises:
        RefusalError: 400.
    """
    known = {role["id"] for role in store.select("roles", among("id", roles))} if roles else set()
    if unknown := [number for number in roles if number not in known]:
        raise RefusalError(400, f"role {unknown[0]} does not exist", pointer="/roles")


def _is_admin(call: SandboxCall) -> bool:
    caller = call.store.get("users", call.user_id)
    return bool(caller and caller["isAdmin"])


def list_users(call: SandboxCall) -> Reply:
    return 200, page(call, "users", total=True, present=user_shown)


def get_user(call: SandboxCall) -> Reply:
    user = call.get("users", "userId")
    if user["id"] != call.user_id and not _is_admin(call):
        raise RefusalError(403, "only admins may see other users", resource="user")
    return 200, user_shown(user)


def update_user(call: SandboxCall) -> Reply:
    user, given = call.get("users", "userId"), dict(call.body)
    if "state" in given and given["state"] != user["state"]:
        _check_state(call, user, given["state"])
    check_roles(call.store, given.get("roles", []))
    if "policy" in given:
        given["policy"] = _policy(given["policy"], "policy")
    return 200, user_shown(change_user(call.store, stamp(call.now), user, **given))


def _check_state(call: SandboxCall, user: Document, state: str) -> None:
    if not _is_admin(call):
        raise RefusalError(403, "only admins may change a user's state", pointer="/state")
    if state == "deactivated":
        _refuse_own(call, user, "deactivate")
    elif user["state"] == "invited":
        raise RefusalError(400, "the user has not accepted the invitation", pointer="/state")


def _policy(text: str, argument: str) -> Document:
    """Parse an access policy from JSON text."""
    try:
        policy = json.loads(text)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise RefusalError(400, f"{argument} must be a JSON object", pointer=f"/{argument}")
    return policy


def delete_user(call: SandboxCall) -> Reply:
    remove_user(call, call.get("users", "userId"))
    return 204, None


def _by_email(call: SandboxCall) -> Document:
    user = find_user(call.store, call.arguments["email"])
    if user is None:
        said = f"no user has the e-mail address {call.arguments['email']}"
        raise RefusalError(404, said, resource="user")
    return user


def delete_user_by_email(call: SandboxCall) -> Reply:
    remove_user(call, _by_email(call))
    return 204, None


def activate_user_by_email(call: SandboxCall) -> Reply:
    user = _by_email(call)
    if user["state"] == "invited":
        raise RefusalError(400, "the user has not accepted the invitation", pointer="/email")
    change_user(call.store, stamp(call.now), user, state="active")
    return 204, None


def deactivate_user_by_email(call: SandboxCall) -> Reply:
    user = _by_email(call)
    _refuse_own(call, user, "deactivate")
    change_user(call.store, stamp(call.now), user, state="deactivated")
    return 204, None


def invite_user(call: SandboxCall) -> Reply:
    given = call.body
    check_roles(call.store, given.get("roles", []))
    settings: Document = {key: given[key] for key in ("name", "isAdmin", "roles") if key in given}
    if "acl" in given:
        settings["policy"] = _policy(given["acl"], "acl")
    return 201, user_shown(_invited(call, **settings))


def _invited(call: SandboxCall, **settings: Any) -> Document:
    email = call.arguments["email"]
    if find_user(call.store, email):
        raise RefusalError(400, f"{email} is a user of the account already", pointer="/email")
    token = secrets.token_urlsafe(21)
    return new_user(call.store, stamp(call.now), email, inviteToken=token, **settings)


def invite_user_from_identity_provider(call: SandboxCall) -> Reply:
    named = among("name", call.arguments.get("userGroups"))
    roles = [role["id"] for role in call.store.select("roles", named)] if named else []
    _invited(call, name=call.arguments.get("name", ""), roles=roles, authMethod="saml")
    return 204, None


def resend_invitation(call: SandboxCall) -> Reply:
    user, token = _by_email(call), call.arguments["token"]
    if user["state"] != "invited" or not secrets.compare_digest(
        user["inviteToken"].encode(), token.encode()
    ):
        raise RefusalError(400, "no such invitation is open", pointer="/token")
    return 201, {"email": user["email"], "token": token}


HANDLERS: Mapping[str, Handler] = {
    "list_users": list_users,
    "get_user": get_user,
    "update_user": update_user,
    "delete_user": delete_user,
    "delete_user_by_email": delete_user_by_email,
    "activate_user_by_email": activate_user_by_email,
    "deactivate_user_by_email": deactivate_user_by_email,
    "invite_user": invite_user,
    "invite_user_from_identity_provider": invite_user_from_identity_provider,
    "resend_invitation": resend_invitation,
}
