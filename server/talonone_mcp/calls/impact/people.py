"""Whose rights a call changes, and where it sends data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from talonone_mcp.calls.impact.call_facts import CallFacts, Measured
from talonone_mcp.core.names import in_words
from talonone_mcp.core.text import quoted

_RIGHTS = ("isAdmin", "roles", "policy", "acl", "userGroups", "permissions", "members", "state")
_LABELS = ("displayname", "name", "name.formatted", "nickname", "title")  # that grant nothing


def user_rights(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a user's rights or access change."""
    if changed := [name for name in _RIGHTS if facts.move(name)]:
        yield Measured(1, f"whose {in_words(changed)} change{_admin(facts)}")


def invited(facts: CallFacts) -> Iterator[Measured]:
    """Tell what access somebody is invited to."""
    given = [name for name in _RIGHTS if facts.given(name)]
    rights = f", with {in_words(given)}" if given else ""
    email = quoted(facts.given("email"))
    yield Measured(1, f"access to the account for {email}{rights}{_admin(facts)}")


def _admin(facts: CallFacts) -> str:
    return "; they become an administrator" if facts.given("isAdmin") else ""


def role_rights(facts: CallFacts) -> Iterator[Measured]:
    """Tell when the rights that a role gives, or who has it, change."""
    if changed := [name for name in ("permissions", "members") if facts.move(name)]:
        yield Measured(None, f"of everybody in the role: its {in_words(changed)} change")


def group_members(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many people get or lose the role that a group stands for."""
    if facts.operation.replaces is None:
        if members := facts.given("members"):
            yield Measured(len(members), "get the role that the group stands for")
        return
    move = facts.move("members")
    if not move:
        return
    if not move.is_known:
        yield Measured(None, "get or lose the role that the group stands for")
        return
    old, new = _values(move.old), _values(move.new)
    if changed := old ^ new:
        yield Measured(len(changed), "get or lose the role that the group stands for")


def _values(members: Any) -> set[str]:
    return {str(each.get("value")) for each in members or () if isinstance(each, Mapping)}


def scim_user(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a user's access or login name changes."""
    if changed := [name for name in ("active", "userName") if facts.move(name)]:
        yield Measured(1, f"whose {in_words(changed)} change")


def scim_operations(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many operations of a SCIM patch change rights or access."""
    if count := sum(not _is_label(each) for each in facts.given("Operations") or ()):
        yield Measured(count, "of access, login names or members")


def scim_removals(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many values a SCIM patch removes."""
    operations = facts.given("Operations") or ()
    if count := sum(str(each.get("op")).casefold() == "remove" for each in operations):
        yield Measured(count, "are removed")


def _is_label(operation: Mapping[str, Any]) -> bool:
    """Tell whether an operation changes only how somebody or something is called."""
    if str(operation.get("op")).casefold() == "remove":
        return False
    path = operation.get("path")
    if path:
        return str(path).rpartition(":")[2].strip().casefold() in _LABELS
    value = operation.get("value")
    try:
        document = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return False
    return isinstance(document, Mapping) and all(str(key).casefold() in _LABELS for key in document)


def webhook_host(facts: CallFacts) -> Iterator[Measured]:
    """Tell which host customers' data goes to."""
    webhook = facts.given("webhook") or {}
    url = webhook.get("url") if isinstance(webhook, Mapping) else None
    try:
        host = urlsplit(str(url)).hostname or ""
    except ValueError:
        host = ""
    yield Measured(1, f"customers' data to {quoted(host or url)}")
