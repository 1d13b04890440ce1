"""A customer's loyalty points, by program and by card, with the transactions of a few ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from talonone_mcp.workflows.answer_format import counted, filled, first_of, newest, text
from talonone_mcp.workflows.upstream_times import day, moment
from talonone_mcp.workflows.upstream_types import (
    LedgerDocument,
    Loyalty,
    LoyaltyProgram,
    PointsBalance,
    Tier,
    Transaction,
)

MAX_READ_CLOSELY = 2
"""Ledgers whose transactions are read, one request each."""

MAX_PROGRAMS = 3
_MAX_SUBLEDGERS, _MAX_CARDS, _MAX_TRANSACTIONS = 2, 3, 4
_BALANCES = {
    "activePoints": "currentBalance",
    "pendingPoints": "pendingBalance",
    "negativePoints": "negativeBalance",
}
_ENDLESS = (None, "unlimited")


@dataclass(frozen=True, slots=True)
class LoyaltyLedger:
    """The points that a customer has in a program, or on a card of one.

    `shown` has them in the form of get_customer_inventory; `transactions` is None if they were not
    read.
    """

    program: int
    shown: LedgerDocument
    card: str = ""
    transactions: Sequence[Transaction] | None = None

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """What decides which ledgers are read closely: programs, then active cards, by points."""
        main = self.shown.get("ledger", {})
        points = main.get("currentBalance", 0) + main.get("pendingBalance", 0)
        return not self.card, self.shown.get("status") != "inactive", points


def ledgers_in(loyalty: Loyalty) -> list[LoyaltyLedger]:
    """Return the ledgers in a customer's inventory, the most important first."""
    found = [LoyaltyLedger(each["id"], each) for each in loyalty.get("programs", {}).values()]
    found += [
        LoyaltyLedger(each["programID"], each, each["identifier"])
        for each in loyalty.get("cards", [])
    ]
    return sorted(found, key=lambda each: each.rank, reverse=True)


def from_balances(
    program: LoyaltyProgram, balances: Mapping[str, Any], transactions: Sequence[Transaction]
) -> LoyaltyLedger:
    """Return the ledger of a program.

    Args:
        program: as its Application lists it.
        balances: as get_loyalty_ledger_balances returns them; its names are not the inventory's.
        transactions: of the ledger.
    """

    def renamed(balance: Mapping[str, Any]) -> PointsBalance:
        return cast(
            "PointsBalance", {_BALANCES.get(key, key): value for key, value in balance.items()}
        )

    subledgers = balances.get("subledgerBalances", {})
    shown: LedgerDocument = {
        "title": program.get("title", ""),
        "ledger": renamed(balances.get("balance", {})),
        "subLedgers": {name: renamed(each) for name, each in subledgers.items()},
    }
    return LoyaltyLedger(program["id"], shown, transactions=transactions)


def points(found: Sequence[LoyaltyLedger], now: datetime) -> dict[str, Any]:
    """Return what is shown of the ledgers: `loyalty` by program, and `cards`."""
    programs = [each for each in found if not each.card]
    cards = [each for each in found if each.card]
    return filled({
        "loyalty": [_program(each, now) for each in programs[:MAX_PROGRAMS]],
        "morePrograms": max(len(programs) - MAX_PROGRAMS, 0) or None,
        "cards": [_card(each, now) for each in cards[:_MAX_CARDS]],
        "moreCards": max(len(cards) - _MAX_CARDS, 0) or None,
    })  # fmt: skip


def _title(ledger: LoyaltyLedger) -> str:
    shown = ledger.shown
    title = text(shown.get("title") or shown.get("programTitle") or shown.get("name", ""))
    return f"{title} ({ledger.program})" if title else str(ledger.program)


def _program(ledger: LoyaltyLedger, now: datetime) -> dict[str, Any]:
    shown = ledger.shown
    return filled({
        "program": _title(ledger),
        "joined": day(shown.get("joinDate")),
        **_balance(shown.get("ledger", {})),
        **_subledgers(shown.get("subLedgers", {})),
        "transactions": _transactions(ledger, now),
    })  # fmt: skip


def _card(ledger: LoyaltyLedger, now: datetime) -> dict[str, Any]:
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


def _balance(ledger: PointsBalance) -> dict[str, Any]:
    tier: Tier = ledger.get("currentTier", {})
    return filled({
        "points": ledger.get("currentBalance"),
        "pending": ledger.get("pendingBalance") or None,
        "negative": ledger.get("negativeBalance") or None,
        "tier": text(tier.get("name", "")),
        "tierUntil": day(tier.get("expiryDate")),
        "toNextTier": ledger.get("pointsToNextTier"),
        "nextTier": text(ledger.get("nextTierName", "")),
    })  # fmt: skip


def _subledgers(found: Mapping[str, PointsBalance]) -> dict[str, Any]:
    named = list(found.items())
    return {
        "subledgers": {text(name): _balance(each) for name, each in named[:_MAX_SUBLEDGERS]},
        "moreSubledgers": max(len(named) - _MAX_SUBLEDGERS, 0) or None,
    }


def _transactions(ledger: LoyaltyLedger, now: datetime) -> list[dict[str, Any]]:
    rows = newest(ledger.transactions or ())
    return [_transaction(each, now) for each in rows[:_MAX_TRANSACTIONS]]


def _transaction(found: Transaction, now: datetime) -> dict[str, Any]:
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


def unread(found: Sequence[LoyaltyLedger]) -> Iterator[tuple[str, str]]:
    """Yield what was not read of the ledgers, each with the operation that shows it."""
    left = [each for each in found if each.transactions is None]
    programs = [_title(each) for each in left if not each.card]
    cards = sum(1 for each in left if each.card)
    if programs:
        named = first_of(programs, MAX_PROGRAMS)
        yield "list_profile_loyalty_transactions", f"transactions in {named}"
    if cards:
        unread_cards = counted(cards, "more card")
        yield "list_loyalty_card_transactions", f"transactions of {unread_cards}"
