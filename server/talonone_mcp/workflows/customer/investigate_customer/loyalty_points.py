"""The points of a customer, by program and by card, and the few ledgers that are read closer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from talonone_mcp.workflows.customer.investigate_customer.customer_sections import (
    CARDS,
    PROGRAMS,
    SUBLEDGERS,
    TRANSACTIONS,
    Row,
    day,
    filled,
    newest,
    text,
)
from talonone_mcp.workflows.obstacles import moment

CLOSER = 2
"""Ledgers whose transactions are read, one request each, however many a customer has."""

_BALANCES = {
    "activePoints": "currentBalance",
    "pendingPoints": "pendingBalance",
    "negativePoints": "negativeBalance",
}
_ENDLESS = (None, "unlimited")


@dataclass(slots=True)
class Ledger:
    """Points that a customer has in a program, or on a card of one.

    `shown` has them in the form of get_customer_inventory; `transactions` is None until they are
    read.
    """

    program: int
    shown: Row
    card: str = ""
    transactions: Sequence[Row] | None = field(default=None)

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """What decides which ledgers are read closer: programs, then cards in use, by points."""
        main = self.shown.get("ledger", {})
        points = main.get("currentBalance", 0) + main.get("pendingBalance", 0)
        return not self.card, self.shown.get("status") != "inactive", points


def ledgers(loyalty: Row) -> list[Ledger]:
    """Return the ledgers of a customer, those that matter most first.

    Args:
        loyalty: that part of get_customer_inventory's answer.
    """
    found = [Ledger(each["id"], each) for each in loyalty.get("programs", {}).values()]
    found += [
        Ledger(each["programID"], each, each["identifier"]) for each in loyalty.get("cards", [])
    ]
    return sorted(found, key=lambda each: each.rank, reverse=True)


def from_balances(program: Row, balances: Row) -> Ledger:
    """Return the ledger of a program from what the operations for balances answer."""

    def renamed(balance: Row) -> Row:
        return {_BALANCES.get(key, key): value for key, value in balance.items()}

    subledgers = balances.get("subledgerBalances", {})
    shown = {
        "title": program.get("title", ""),
        "ledger": renamed(balances.get("balance", {})),
        "subLedgers": {name: renamed(each) for name, each in subledgers.items()},
    }
    return Ledger(program["id"], shown)


def points(found: Sequence[Ledger], now: datetime) -> dict[str, Any]:
    """Return the ledgers as they are shown: `loyalty` by program, and `cards`."""
    programs = [each for each in found if not each.card]
    cards = [each for each in found if each.card]
    return filled({
        "loyalty": [_program(each, now) for each in programs[:PROGRAMS]],
        "morePrograms": max(len(programs) - PROGRAMS, 0) or None,
        "cards": [_card(each, now) for each in cards[:CARDS]],
        "moreCards": max(len(cards) - CARDS, 0) or None,
    })  # fmt: skip


def _title(ledger: Ledger) -> str:
    shown = ledger.shown
    title = text(shown.get("title") or shown.get("programTitle") or shown.get("name", ""))
    return f"{title} ({ledger.program})" if title else str(ledger.program)


def _program(ledger: Ledger, now: datetime) -> dict[str, Any]:
    shown = ledger.shown
    return filled({
        "program": _title(ledger),
        "joined": day(shown.get("joinDate")),
        **_balance(shown.get("ledger", {})),
        **_subledgers(shown.get("subLedgers", {})),
        "transactions": _transactions(ledger, now),
    })  # fmt: skip


def _card(ledger: Ledger, now: datetime) -> dict[str, Any]:
    shown = ledger.shown
    return filled({
        "card": ledger.card,
        "program": _title(ledger),
        "status": shown.get("status"),
        "blockReason": text(shown.get("blockReason", "")),
        "replacedBy": shown.get("newCardIdentifier"),
        **_balance(shown.get("ledger", {})),
        **_subledgers(shown.get("subledgers", {})),
        "sharedBy": len(shown.get("profiles", [])) or None,
        "transactions": _transactions(ledger, now),
    })  # fmt: skip


def _balance(ledger: Row) -> dict[str, Any]:
    tier = ledger.get("currentTier", {})
    return filled({
        "points": ledger.get("currentBalance"),
        "pending": ledger.get("pendingBalance") or None,
        "negative": ledger.get("negativeBalance") or None,
        "tier": text(tier.get("name", "")),
        "tierUntil": day(tier.get("expiryDate")),
        "toNextTier": ledger.get("pointsToNextTier"),
        "nextTier": text(ledger.get("nextTierName", "")),
    })  # fmt: skip


def _subledgers(found: Mapping[str, Row]) -> dict[str, Any]:
    named = list(found.items())
    return {
        "subledgers": {text(name): _balance(each) for name, each in named[:SUBLEDGERS]},
        "moreSubledgers": max(len(named) - SUBLEDGERS, 0) or None,
    }


def _transactions(ledger: Ledger, now: datetime) -> list[dict[str, Any]]:
    rows = newest(ledger.transactions or ())
    return [_transaction(each, now) for each in rows[:TRANSACTIONS]]


def _transaction(found: Row, now: datetime) -> dict[str, Any]:
    sign = -1 if found["type"] == "subtraction" else 1
    start = found.get("startDate")
    begins = moment(start)
    pending = start == "on_action" or (begins is not None and begins > now)
    expiry = found.get("expiryDate")
    return filled({
        "on": day(found.get("created")),
        "points": sign * found["amount"],
        "why": text(found.get("name") or found.get("ruleName") or ""),
        "session": found.get("customerSessionId"),
        "subledger": text(found.get("subledgerId", "")),
        "pendingUntil": (day(start) if begins else start) if pending else "",
        "expires": "" if expiry in _ENDLESS else day(expiry),
    })  # fmt: skip


def unread(found: Sequence[Ledger]) -> Iterator[tuple[str, str]]:
    """Yield, by the operation that shows it, what was not read of the ledgers."""
    left = [each for each in found if each.transactions is None]
    programs = [_title(each) for each in left if not each.card]
    cards = sum(1 for each in left if each.card)
    if programs:
        names = ", ".join(programs[:PROGRAMS]) + (", ..." if len(programs) > PROGRAMS else "")
        yield "list_profile_loyalty_transactions", f"transactions in {names}"
    if cards:
        yield (
            "list_loyalty_card_transactions",
            f"transactions of {cards} more card{'s' if cards > 1 else ''}",
        )
