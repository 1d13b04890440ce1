"""The ledgers of the demo account's customers and cards, written without reading the store.

A hundred thousand customers have a million entries: the history of each is reckoned here, in whole
hours from now, and written down with many others at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import islice

from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import SHOP, USER_EMAIL, USER_ID
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.ledgers.daily_figures import day_label, day_of, new_day, phases
from talonone_mcp.sandbox.ledgers.deductions import use_of
from talonone_mcp.sandbox.ledgers.ledger import ledger_label
from talonone_mcp.sandbox.ledgers.memberships import member_label
from talonone_mcp.sandbox.ledgers.points import IMMEDIATE, ON_ACTION, UNLIMITED, PointsHolder
from talonone_mcp.sandbox.ledgers.tiers import tier_for

BONUS = "bonus"  # the subledger
_PURCHASES = 7
_SPENDING = (3, 5)  # the purchases after which points are spent
_DAY, _WEEK, _YEAR = 24, 7 * 24, 365 * 24  # hours
_WAITING = 200  # only of the first so many holders, points wait for an action
_TOGETHER = 500  # holders whose rows are written down at once
_KINDS = ("loyalty_days", "loyalty_entries", "loyalty_ledgers", "loyalty_members", "loyalty_uses")
_BY_RULE = {
    "name": "A point for each euro",
    "origin": "session",
    "applicationId": SHOP,
    "campaignId": 19,
    "rulesetId": 119,
    "ruleName": "A point for each euro",
}
_BY_HAND = {"name": "Goodwill", "origin": "manual", "userId": USER_ID, "userEmail": USER_EMAIL}
_IMPORTED = {"name": "Welcome bonus", "origin": "import", "importId": 1}


@dataclass(frozen=True, slots=True)
class _Lot:
    """An addition, and from when to when its points are active; None is never."""

    entry: Document
    active_from: int | None
    until: int | None


@dataclass(frozen=True, slots=True)
class _Pages:
    """Rows to write, by kind, and the changes of each day's figures."""

    account: DemoAccount
    program: Document
    times: Callable[[int], tuple[str, str]]  # by hours from now: as text, and the day
    rows: dict[str, list[tuple[Document, int | None, str | None]]]
    days: dict[tuple[str, str], dict[str, float]]
    ids: dict[str, int]  # the last ones given out

    def add(
        self, kind: str, document: Document, label: str | None = None, parent: int | None = None
    ) -> Document:
        """Add a document with the next id of its kind."""
        self.ids[kind] += 1
        row = {"id": self.ids[kind], **document}
        self.rows[kind].append((row, parent, label))
        return row

    def book(self, hours: int, changes: Mapping[str, float], subledger: str = "") -> None:
        """Change a day's figures."""
        day = self.days[subledger, self.times(hours)[1]]
        for name, change in changes.items():
            day[name] += change

    def book_course(self, lot: _Lot, amount: float, hours: int) -> None:
        """Change the figures by the phases of an amount of points from a time on."""
        for time, signs in phases(lot.active_from, lot.until, hours):
            changes = {name: sign * amount for name, sign in signs.items()}
            self.book(time, changes, lot.entry["subledgerId"])

    def write(self) -> None:
        """Write the rows down."""
        for kind, rows in self.rows.items():
            self.account.store.add_all(kind, rows)
        self.rows.clear()


def fill(account: DemoAccount, program: Document, holders: Iterable[PointsHolder]) -> None:
    """Write the ledgers of all customers or cards of a program."""

    @cache  # of the few thousand times that there are
    def times(hours: int) -> tuple[str, str]:
        time = account.now + timedelta(hours=hours)
        return stamp(time), day_of(program, time)

    days: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    ids = {kind: account.store.next_id(kind) - 1 for kind in _KINDS}
    pages = _Pages(account, program, times, defaultdict(list), days, ids)
    numbered = iter(enumerate(holders))
    while several := list(islice(numbered, _TOGETHER)):
        for index, holder in several:
            _fill_history(pages, index, holder)
        pages.write()
    for (subledger, day), changes in days.items():
        document = new_day(program, subledger, day, changes)
        pages.add("loyalty_days", document, day_label(program, subledger, day))
    pages.write()


def _fill_history(pages: _Pages, index: int, holder: PointsHolder) -> None:
    """Add what a customer earned and spent, and their current state."""
    draw = pages.account.random.randrange
    lots: list[_Lot] = []
    for turn in range(_PURCHASES):
        hours = (turn - _PURCHASES) * 8 * _WEEK + draw(6) * _WEEK
        order = {"customerSessionId": f"order-{index + 1}-{turn + 1}"}
        lots.append(_add(pages, holder, (hours, hours), draw(20, 130), _BY_RULE | order))
        if turn in _SPENDING:
            _spend(pages, holder, lots, hours + _DAY, draw(20, 120))
    if holder.customer is not None:
        _join(pages, holder, lots[0].active_from or 0)
    order = {"customerSessionId": f"order-{index + 1}-{_PURCHASES + 1}"}
    lots.append(_add_last(pages, holder, index, order))
    active = [lot for lot in lots if lot.active_from is not None and lot.active_from <= 0]
    points = sum(lot.entry["left"] for lot in active if (lot.until or 1) > 0)
    _open(pages, holder, "", lots[0].active_from or 0, points)


def _add(
    pages: _Pages, holder: PointsHolder, at: tuple[int, int | None], points: float, about: Document
) -> _Lot:
    """Add an addition, created at one time and active from another for a year."""
    made, active_from = at
    until = None if active_from is None else active_from + _YEAR
    start = ON_ACTION if active_from is None else pages.times(active_from)[0]
    entry = _entry(pages, holder, made, "addition", points) | {
        "startDate": IMMEDIATE if active_from == made else start,
        "expiryDate": UNLIMITED if until is None else pages.times(until)[0],
        "from": start,
        "left": points,
        **about,
    }
    row = pages.add("loyalty_entries", entry, entry["transactionUUID"])
    lot = _Lot(row, active_from, until)
    source = "earned rules" if entry["origin"] == "session" else "earned manual"
    pages.book(made, {source: points}, entry["subledgerId"])
    pages.book_course(lot, points, made)
    return lot


def _entry(pages: _Pages, holder: PointsHolder, made: int, kind: str, points: float) -> Document:
    bits = f"{pages.account.random.getrandbits(128):032x}"
    return {
        "transactionUUID": f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}",
        "created": pages.times(made)[0],
        "type": kind,
        "amount": points,
        "startDate": IMMEDIATE,
        "expiryDate": UNLIMITED,
        "subledgerId": "",
        **holder.names,
    }


def _spend(
    pages: _Pages, holder: PointsHolder, lots: list[_Lot], hours: int, points: float
) -> None:
    """Add a subtraction from additions, which are sorted by expiry."""
    points = min(points, sum(lot.entry["left"] for lot in lots))
    about = {"name": "Reward from the catalog"}
    entry = _entry(pages, holder, hours, "subtraction", points) | _BY_HAND | about
    debit = pages.add("loyalty_entries", entry, entry["transactionUUID"])
    pages.book(hours, {"spent manual": points, "spent": points})
    for lot in lots:
        if part := min(lot.entry["left"], points):
            lot.entry["left"] -= part
            points -= part
            use = use_of(lot.entry, debit, part, pages.times(hours)[0])
            pages.add("loyalty_uses", use, parent=lot.entry["id"])
            pages.book_course(lot, -part, hours)


def _add_last(pages: _Pages, holder: PointsHolder, index: int, order: Document) -> _Lot:
    """Add the latest entry: pending, awaiting an action, in the subledger, or manual."""
    made = -1 - pages.account.random.randrange(3) * _DAY
    match index % 4:
        case 0:
            return _add(pages, holder, (made, made + 2 * _WEEK), 40, _BY_RULE | order)
        case 1 if index < _WAITING:
            return _add(pages, holder, (made, None), 30, _BY_RULE | order)
        case 2:
            _open(pages, holder, BONUS, made, 25)
            lot = _add(pages, holder, (made, made), 25, _IMPORTED | {"subledgerId": BONUS})
            return _Lot(lot.entry, None, None)  # does not count in the main ledger
    return _add(pages, holder, (made, made), 10, _BY_HAND)


def _join(pages: _Pages, holder: PointsHolder, hours: int) -> None:
    customer, joined = str(holder.customer), pages.times(hours)[0]
    member = {"programId": holder.program_id, "customer": customer, "created": joined}
    label = member_label(holder.program_id, customer)
    pages.add("loyalty_members", member | {"joined": joined}, label, holder.program_id)
    pages.book(hours, {"members": 1})


def _open(pages: _Pages, holder: PointsHolder, subledger: str, hours: int, points: float) -> None:
    """Add a ledger with the tier that its points lead to, entered recently."""
    since = -30 * _DAY
    ledger = holder.names | {
        "subledgerId": subledger,
        "created": pages.times(hours)[0],
        "tierAsOf": pages.times(0)[0],
    }
    tier = tier_for(pages.program, points)
    if tier is not None:
        ledger["tier"] = {
            "id": tier["id"],
            "name": tier["name"],
            "startDate": pages.times(since)[0],
            "expiryDate": pages.times(since + _YEAR)[0],
            "downgradePolicy": pages.program["tiersDowngradePolicy"],
        }
    pages.add("loyalty_ledgers", ledger, ledger_label(holder, subledger), holder.program_id)
