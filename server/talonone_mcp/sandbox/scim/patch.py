"""SCIM's PATCH, as RFC 7644 (section 3.5.2) describes it.

Upstream documents each operation's value as text, so a value that is none stands there as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.scim.filters import filter_of, value_of

_NAME = re.compile(r"[A-Za-z$][\w$-]*(\.[A-Za-z$][\w$-]*)?")
_MEMBERS = re.compile(r"members\[(.*)\]", re.IGNORECASE | re.DOTALL)
_BOOLEANS = {"true": True, "false": False}

Apply = Callable[[Document, str, str, Any], None]
"""Changes a resource by an operation, at a path, with a value."""


def patched(resource: Document, operations: Iterable[Mapping[str, Any]], apply: Apply) -> Document:
    """Return a resource with a request's operations applied in turn.

    Raises:
        RefusalError: 400, when one of them cannot be.
    """
    changed = dict(resource)
    for each in operations:
        op, path, value = each["op"], each.get("path"), each.get("value")
        if path:
            apply(changed, op, _plain(path), value)
            continue
        if op == "remove":
            raise refused("noTarget", "remove needs a path")
        for name, inner in _object(value).items():
            apply(changed, op, _plain(name), inner)
    return changed


def _plain(path: str) -> str:
    """Return a path without its schema: urn:ietf:params:scim:schemas:core:2.0:User:userName."""
    head, bracket, tail = path.partition("[")
    return head.rpartition(":")[2] + bracket + tail


def _object(value: Any) -> dict[str, Any]:
    document = as_json(value)
    if not isinstance(document, dict):
        raise refused("invalidValue", "without a path, the value must be an object")
    return document


def as_json(value: Any) -> Any:
    """Parse a text as JSON; return it unchanged if it is not."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def refused(kind: str, why: str) -> RefusalError:
    """Return the refusal of an operation; `kind` is RFC 7644's word for what is wrong."""
    return RefusalError(400, f"{kind}: {why}", pointer="/Operations")


def apply_to_user(user: Document, op: str, path: str, value: Any) -> None:
    """Change a user's resource; other attributes are stored as they are.

    Raises:
        RefusalError: 400.
    """
    name = path.casefold()
    if not _NAME.fullmatch(path):
        raise refused("noTarget", f"no user has a value at {path}")
    if name in ("id", "meta", "schemas"):
        raise refused("mutability", f"{path} cannot be changed")
    if name == "active":
        user["active"] = _boolean(None if op == "remove" else value)
    elif name == "username":
        user["userName"] = _text(path, None if op == "remove" else value)
    elif name == "displayname":
        user["displayName"] = "" if op == "remove" else _text(path, value)
    else:
        _apply_deeper(user, op, path, value)


def _boolean(value: Any) -> bool:
    given = _BOOLEANS.get(str(value).casefold())
    if given is None:
        raise refused("invalidValue", "active must be true or false")
    return given


def _text(path: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise refused("invalidValue", f"{path} must be a text")
    return value


def _apply_deeper(user: Document, op: str, path: str, value: Any) -> None:
    outer, _, inner = path.partition(".")
    if not inner:
        given = as_json(value) if outer.casefold() == "name" else value
        user.pop(outer, None) if op == "remove" else user.update({outer: given})
        return
    held = user.get(outer)
    deeper = dict(held) if isinstance(held, dict) else {}
    deeper.pop(inner, None) if op == "remove" else deeper.update({inner: value})
    user[outer] = deeper


def apply_to_group(group: Document, op: str, path: str, value: Any) -> None:
    """Change a group's resource: its name or its members.

    Raises:
        RefusalError: 400.
    """
    chosen = _MEMBERS.fullmatch(path)
    if path.casefold() == "displayname":
        group["displayName"] = _text(path, None if op == "remove" else value)
    elif chosen and op == "remove":
        test = filter_of(chosen[1])
        group["members"] = [each for each in group["members"] if not test(each)]
    elif path.casefold() == "members":
        group["members"] = _members(group["members"], op, value)
    else:
        raise refused("invalidPath", f"a group has nothing at {path} that can be changed")


def _members(present: list[Document], op: str, value: Any) -> list[Document]:
    given = list(_given_members(value))
    numbers = {each["value"] for each in given}
    if op == "replace":
        return given
    if op == "add":
        return [*present, *given]
    return [each for each in present if given and each["value"] not in numbers]


def _given_members(value: Any) -> Iterable[Document]:
    document = as_json(value)
    items = document if isinstance(document, list) else [document]
    for item in items:
        if item is None:
            continue
        number = value_of(item, "value") if isinstance(item, dict) else item
        yield {"value": str(number)}
