"""The audit log: who changed what through the Management API, before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from talonone_mcp.core.catalog import Operation
from talonone_mcp.sandbox.documents.conditions import contains, equal, within
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import MANAGEMENT_KEY_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.logs.retention import keep_entry

Reads = Mapping[str, tuple[Operation, Handler]]
"""What reads the thing at a path, by the path's template."""

_MOST_TEXT = 20_000  # characters of a state; of a larger one, the log says only that it changed
_SECRET = {"inviteToken", "password", "resetToken", "token"}


def is_change(operation: Operation) -> bool:
    """Return whether an operation changes the account, as opposed to customer activity."""
    return (
        operation.api == "management"
        and operation.risk != "read"
        and operation.toolset != "auth"  # logging in changes nothing
    )


def state_of(call: SandboxCall, reads: Reads) -> Document | None:
    """Return the requested entity as its read operation shows it; None without one."""
    operation = call.operation
    if operation.path not in reads or not is_change(operation) or operation.method == "POST":
        return None
    reading, handler = reads[operation.path]
    arguments = {name: call.arguments[name] for name in reading.path_arguments}
    try:
        _, state = handler(replace(call, operation=reading, arguments=arguments))
    except RefusalError:
        return None
    return state if isinstance(state, dict) else None


def record_change(call: SandboxCall, old: Document | None, reply: Reply, reads: Reads) -> None:
    """Log a request that changed something.

    Args:
        call: the request.
        old: what `state_of` returned before it was carried out.
        reply: how it was answered.
        reads: as for `state_of`.
    """
    operation = call.operation
    entity = operation.path.format_map(call.arguments)
    new = _new_state(call, reply, reads)
    if old is not None and old == new:
        return
    if reply[0] == HTTPStatus.CREATED and "id" in (reply[1] or ()):
        entity = f"{entity}/{reply[1]['id']}"
    entry: Document = {"created": stamp(call.now), "userId": call.user_id, "entity": entity}
    if "applicationId" in operation.path_arguments:
        entry["applicationId"] = call.arguments["applicationId"]
    if call.token is None:
        entry["managementKeyId"] = MANAGEMENT_KEY_ID
    states = {"old": _shown(old), "new": _shown(new)}
    given = {key: each for key, each in states.items() if each}
    keep_entry(call.store, "changes", entry | given, call.limits)


def _new_state(call: SandboxCall, reply: Reply, reads: Reads) -> Document | None:
    """Return the new state: the answer, the entity read again, or else the request's body."""
    body: Any = reply[1]
    if isinstance(body, dict) and "data" not in body:
        return body
    if call.operation.method == "DELETE":
        return None
    return state_of(call, reads) or call.body


def _shown(state: Document | None) -> Document:
    shown = {key: value for key, value in (state or {}).items() if key not in _SECRET}
    return shown if len(json.dumps(shown)) <= _MOST_TEXT else {}


def list_audit_logs(call: SandboxCall) -> Reply:
    asked = call.arguments
    return 200, page(
        call,
        "changes",
        equal("applicationId", asked.get("applicationId")),
        equal("userId", asked.get("userId")),
        equal("managementKeyId", asked.get("managementKeyId")),
        contains("entity", asked.get("entityPath")),
        within("created", asked.get("createdAfter"), asked.get("createdBefore")),
        total=asked.get("withTotalResultSize", False),
        present=None if asked.get("includeOld", True) else _without_old,
    )


def _without_old(entry: Document) -> Document:
    return {key: value for key, value in entry.items() if key != "old"}


HANDLERS: Mapping[str, Handler] = {"list_audit_logs": list_audit_logs}
