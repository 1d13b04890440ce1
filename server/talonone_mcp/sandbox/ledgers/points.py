"""Points: their holders, their phases, and balances at any time.

An entry of a ledger is an addition or a subtraction. An addition keeps in `left` what of it has not
been used, and is pending until `from`, then active until `expiryDate`. Each use of it by a
subtraction is a record of its own, so that the balance of any past time can be told. Points are
conserved: what was added is pending, active, spent or expired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from talonone_mcp.sandbox.documents.conditions import Condition, Where, column, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp

IMMEDIATE, ON_ACTION, UNLIMITED = "immediate", "on_action", "unlimited"
_DIGITS = 6  # after the point: what adding binary fractions up leaves behind them is no points
_FROM, _UNTIL = column("from"), column("expiryDate")  # as texts, words come after every time
_SEPARATOR = "\x1f"
_LEDGER = f"char(31) || {column('holder')} || char(31) || {column('subledgerId')}"
LEFT = Condition(f"{column('left')} > 0")


@dataclass(frozen=True, slots=True)
class PointsHolder:
    """Whose points: a customer's, by integration id, or a card's, by its id and identifier."""

    program_id: int
    customer: str | None = None
    card_id: int | None = None
    card: str | None = None

    @property
    def key(self) -> str:
        """The key that all entries of one holder in one program share."""
        who = f"card {self.card_id}" if self.customer is None else f"customer {self.customer}"
        return f"{self.program_id} {who}"

    @property
    def names(self) -> Document:
        """The fields of an entry that say whose it is."""
        common = {"programId": self.program_id, "holder": self.key}
        if self.customer is not None:
            return common | {"customerProfileId": self.customer}
        return common | {"cardId": self.card_id, "cardIdentifier": self.card}


def holder_of(entry: Document) -> PointsHolder:
    """Return the holder of an entry or a ledger."""
    if "cardId" in entry:
        return PointsHolder(
            entry["programId"], card_id=entry["cardId"], card=entry["cardIdentifier"]
        )
    return PointsHolder(entry["programId"], customer=entry["customerProfileId"])


@dataclass(frozen=True, slots=True)
class PointsCause:
    """Why points come or go. Sessions and customers are named by their integration ids.

    `customer` is who acted where the points are a card's; `undoes` is the id of the entry that is
    taken back.
    """

    name: str = ""
    application_id: int | None = None
    session_id: str | None = None
    campaign_id: int | None = None
    ruleset_id: int | None = None
    rule_name: str | None = None
    event_id: int | None = None
    import_id: int | None = None
    customer: str | None = None
    undoes: int | None = None

    @property
    def origin(self) -> str:
        """The type of transaction that lists are filtered by."""
        if self.import_id is not None:
            return "import"
        by_rules = self.session_id is not None or self.event_id is not None
        return "session" if by_rules else "manual"

    @property
    def fields(self) -> Document:
        """What an entry keeps of it."""
        known = {
            "applicationId": self.application_id,
            "customerSessionId": self.session_id,
            "campaignId": self.campaign_id,
            "rulesetId": self.ruleset_id,
            "ruleName": self.rule_name,
            "eventId": self.event_id,
            "importId": self.import_id,
            "customerProfileId": self.customer,
            "undoes": self.undoes,
        }
        given = {name: value for name, value in known.items() if value is not None}
        return {"name": self.name, "origin": self.origin} | given


@dataclass(frozen=True, slots=True)
class LedgerBalance:
    """The points of a ledger at a time. `negative` is what was deducted beyond all points."""

    active: float = 0
    pending: float = 0
    spent: float = 0
    expired: float = 0
    negative: float = 0

    def shown(self) -> Document:
        """Return it as upstream's balances show it."""
        return {
            "activePoints": self.active,
            "pendingPoints": self.pending,
            "spentPoints": self.spent,
            "expiredPoints": self.expired,
            "negativePoints": self.negative,
        }


def rounded(points: float) -> float:
    """Round off floating-point noise; return whole points as integers."""
    exact = round(points, _DIGITS)
    return int(exact) if exact == int(exact) else exact


def held_by(holder: PointsHolder) -> Condition:
    """Match the entries, uses or ledgers of one holder."""
    return Condition(f"{column('holder')} = ?", (holder.key,))


def in_passing(condition: Where) -> Where:
    """Return a condition that no index serves (the plus): it only checks what others find."""
    return condition and Condition(f"+({condition.sql})", condition.values)


def in_phase(phase: str | None, at: datetime) -> Where:
    """Match additions that are pending, active or expired at a time."""
    if phase is None:
        return None
    time = stamp(at)
    sql, values = {
        "pending": (f"{_FROM} > ? AND {_UNTIL} > ?", (time, time)),
        "active": (f"{_FROM} <= ? AND {_UNTIL} > ?", (time, time)),
        "expired": (f"{_UNTIL} <= ?", (time,)),
    }[phase]
    return Condition(sql, values)


def phase(entry: Document, at: datetime) -> str:
    """Return whether an addition is pending, active or expired at a time."""
    time = stamp(at)
    if entry["expiryDate"] <= time:
        return "expired"
    return "active" if entry["from"] <= time else "pending"


def available(
    store: DocumentStore, holder: PointsHolder, at: datetime, subledger: str = ""
) -> float:
    """Return how many points of a ledger may be spent."""
    return balance_of(store, holder, at, subledger).active


def balance_of(
    store: DocumentStore, holder: PointsHolder, at: datetime, subledger: str = ""
) -> LedgerBalance:
    """Return the balance of one ledger as of a time, past or future."""
    found = balances_where(store, at, held_by(holder), equal("subledgerId", subledger))
    return found.get((holder.key, subledger), LedgerBalance())


def balances_of(
    store: DocumentStore, holder: PointsHolder, at: datetime
) -> Mapping[str, LedgerBalance]:
    """Return the balances of a holder's ledgers by name; only of those with entries by then."""
    found = balances_where(store, at, held_by(holder))
    return {name: balance for (_, name), balance in sorted(found.items())}


def balances(
    store: DocumentStore, holder: PointsHolder, at: datetime, subledger: str | None = None
) -> Document:
    """Return the balances of a holder's ledgers as of a time, as upstream shows them.

    Args:
        store: where they are.
        holder: whose.
        at: the time, past or future.
        subledger: the only ledger to show, "" being the main one; None for all.
    """
    found = balances_of(store, holder, at)
    names = found if subledger is None else found.keys() & {subledger}
    shown: Document = {}
    if not subledger:
        shown["balance"] = found.get("", LedgerBalance()).shown()
    if subledger != "":
        shown["subledgerBalances"] = {name: found[name].shown() for name in names if name}
    return shown


def balances_where(
    store: DocumentStore, at: datetime, *where: Where
) -> Mapping[tuple[str, str], LedgerBalance]:
    """Return the balances of several holders' ledgers, by holder's key and ledger's name.

    Args:
        store: where they are.
        at: the time, past or future.
        where: conditions for entries and uses alike: whose they are.
    """
    time = stamp(at)
    state = (
        f"CASE WHEN {_UNTIL} <= ? THEN 'expired' WHEN {_FROM} <= ? THEN 'active'"
        f" WHEN {_FROM} IS NULL THEN 'debit' ELSE 'pending' END"
    )
    by_state = Condition(f"{state} || {_LEDGER}", (time, time))
    sums: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    created = Condition(f"{column('created')} <= ?", (time,))
    entries = store.sums("loyalty_entries", by_state, ("left", "owed"), *where, created)
    for group, total in entries.items():
        name, key, ledger = group.split(_SEPARATOR)
        sums[key, ledger][name] += total["left"]
        sums[key, ledger]["owed"] += total["owed"]
    for group, amount in _uses(store, time, where, by_state):
        name, key, ledger = group.split(_SEPARATOR)
        sums[key, ledger][name] += amount
    return {ledger: _balance(each) for ledger, each in sums.items()}


def _uses(
    store: DocumentStore, time: str, where: tuple[Where, ...], by_state: Condition
) -> Iterator[tuple[str, float]]:
    """Yield by group what was used up to a time, and what later uses would still take.

    Points that are used later still exist, and what is paid later is still owed.
    """
    at, added, debited = column("at"), column("added"), column("debited")
    for by, condition in (
        (Condition(f"'spent' || {_LEDGER}"), Condition(f"{at} <= ?", (time,))),
        (by_state, Condition(f"{at} > ? AND {added} <= ?", (time, time))),
        (
            Condition(f"'owed' || {_LEDGER}"),
            Condition(f"{at} > ? AND {debited} <= ?", (time, time)),
        ),
    ):
        for group, total in store.sums("loyalty_uses", by, ("amount",), *where, condition).items():
            yield group, total["amount"]


def _balance(sums: Mapping[str, float]) -> LedgerBalance:
    # Points that have become active since the ledger was last written to make up for its debt.
    settled = min(sums.get("active", 0), sums.get("owed", 0))
    return LedgerBalance(
        active=rounded(sums.get("active", 0) - settled),
        pending=rounded(sums.get("pending", 0)),
        spent=rounded(sums.get("spent", 0) + settled),
        expired=rounded(sums.get("expired", 0)),
        negative=rounded(sums.get("owed", 0) - settled),
    )
