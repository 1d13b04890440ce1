"""Refuse, before a person is asked, what upstream would refuse by what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import quoted

Foresight = Callable[[Mapping[str, Any], Mapping[str, Any]], str]
"""Takes a call's arguments and what is there; returns why upstream would refuse it, or ""."""


def few_points(arguments: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Tell when a ledger has too few active points.

    Upstream deducts active points only:
    https://docs.talon.one/management-api: removeLoyaltyPointsFromProfile.
    """
    ledger = arguments.get("subledgerId")
    active = _active(before, ledger)
    if active is None or arguments["points"] <= active:
        return ""
    where = f"ledger {quoted(ledger)}" if ledger else "the main ledger"
    return f"{where} has {active:,g} active points, fewer than {arguments['points']:,g}"


def _active(before: Mapping[str, Any], ledger: Any) -> float | None:
    """Return the active points of a customer's or card's ledger, if they are shown."""
    if "balance" in before:
        others, main, name = before.get("subledgerBalances"), before["balance"], "activePoints"
    else:
        others, main, name = before.get("subledgers"), before.get("ledger"), "currentBalance"
    found = (others or {}).get(ledger) if ledger else main
    value = found.get(name) if isinstance(found, Mapping) else None
    return value if isinstance(value, (int, float)) else None


def replaced_card(arguments: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Tell when a card was replaced by another one and is blocked for good."""
    new = before.get("newCardIdentifier")
    return f"the card was replaced by {quoted(new)}" if new else ""


def full_card(arguments: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Tell when as many customers share a card as its program allows, or it is replaced."""
    limit, profiles = before.get("usersPerCardLimit"), before.get("profiles") or ()
    if limit and len(profiles) >= limit:
        return f"{len(profiles)} customers share the card, which is as many as the program allows"
    return replaced_card(arguments, before)


def unlinked_card(arguments: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Tell when a customer is not linked to a card."""
    profiles = before.get("profiles") or ()
    if any(each.get("integrationId") == arguments["integrationId"] for each in profiles):
        return ""
    return f"customer {quoted(arguments['integrationId'])} is not linked to the card"


def other_store_id(arguments: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Tell when a store would get another integrationId, which upstream does not allow.

    See https://docs.talon.one/management-api: updateStore.
    """
    given, old = arguments.get("integrationId"), before.get("integrationId")
    return f"integrationId cannot change from {quoted(old)}" if given not in (None, old) else ""


FORESIGHTS: Mapping[str, Foresight] = {
    "few_points": few_points,
    "replaced_card": replaced_card,
    "full_card": full_card,
    "unlinked_card": unlinked_card,
    "other_store_id": other_store_id,
}
"""The functions that the catalog names in `refused_if`."""


def refuse_what_upstream_would(
    operation: Operation, arguments: Mapping[str, Any], before: Any
) -> None:
    """Return if nothing that is there speaks against a call.

    Raises:
        CallError: `invalid_arguments`.
    """
    if not operation.refused_if or not isinstance(before, Mapping):
        return
    try:
        why = FORESIGHTS[operation.refused_if](arguments, before)
    except (AttributeError, KeyError, TypeError, ValueError):  # upstream shows it in an odd form
        return
    if why:
        raise CallError(
            "invalid_arguments",
            f"{operation.name} was not called: {why}.",
            hint="Nobody was asked, and nothing was changed.",
        )
