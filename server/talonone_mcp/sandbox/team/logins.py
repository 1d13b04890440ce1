"""Sessions of the Management API, and password resets."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import timedelta

from talonone_mcp.sandbox.documents.conditions import equal, within
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.team.passwords import is_password, set_password
from talonone_mcp.sandbox.team.users import find_user

# How long they hold: https://docs.talon.one/management-api#operation/createSession and
# https://docs.talon.one/management-api#operation/createPasswordRecoveryEmail
_SESSION = timedelta(days=90)  # three months
_LINK = timedelta(minutes=30)


def create_session(call: SandboxCall) -> Reply:
    user = find_user(call.store, call.arguments["email"])
    known = user is not None and is_password(call.store, user["id"], call.arguments["password"])
    if user is None or not known or user["state"] != "active":
        raise RefusalError(401, "e-mail address or password is not valid")
    now, token = stamp(call.now), secrets.token_urlsafe(32)
    call.store.delete_where("logins", within("expires", before=now))
    login = {"userId": user["id"], "created": now, "expires": stamp(call.now + _SESSION)}
    call.store.add("logins", login, label=token)
    call.store.replace("users", user | {"lastSignedIn": now, "lastAccessed": now})
    return 201, {"userId": user["id"], "token": token, "created": now}


def destroy_session(call: SandboxCall) -> Reply:
    login = call.store.find("logins", call.token) if call.token else None
    if login:
        call.store.delete("logins", login["id"])
    return 204, None


def request_password_reset(call: SandboxCall) -> Reply:
    user = find_user(call.store, call.arguments["email"])
    if user and user["state"] == "active":  # nobody learns from the answer whose address it is
        token = secrets.token_urlsafe(24)
        call.store.delete_where("password_resets", equal("userId", user["id"]))
        reset = {"userId": user["id"], "expires": stamp(call.now + _LINK)}
        call.store.add("password_resets", reset, label=token)
        # The sandbox sends no mail: who runs it finds the token in its log.
        logging.getLogger(__name__).warning(
            "sandbox: mail to %s: resetToken %s, valid for 30 minutes", user["email"], token
        )
    return 204, None


def reset_password(call: SandboxCall) -> Reply:
    reset = call.store.find("password_resets", call.arguments["resetToken"])
    if reset is None or reset["expires"] <= stamp(call.now):
        raise RefusalError(400, "the token is used up or has expired", pointer="/resetToken")
    if not call.arguments["password"]:
        raise RefusalError(400, "the password is empty", pointer="/password")
    call.store.delete("password_resets", reset["id"])
    set_password(call.store, reset["userId"], call.arguments["password"])
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "create_session": create_session,
    "destroy_session": destroy_session,
    "request_password_reset": request_password_reset,
    "reset_password": reset_password,
}
