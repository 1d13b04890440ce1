"""The daily figures of loyalty programs, booked as they change.

A day's record holds by how much each figure changes on that day, in the program's time zone. What
time alone will change, points that become active and points that expire, is booked ahead. So the
figures as of a day are a sum over few records, however many entries there are.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from talonone_mcp.sandbox.documents.conditions import Condition, Where, column, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.durations import local, zone_of
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.ledgers.points import phase, rounded

_STATES = ("active", "pending", "spent", "expired", "negative", "members")
_FLOWS = ("members", "earned manual", "earned rules", "spent manual", "spent rules")
_FIELDS = tuple(dict.fromkeys((*_STATES, *_FLOWS)))
Changes = Mapping[str, float]
Time = TypeVar("Time", int, datetime)


def day_of(program: Document, at: datetime) -> str:
    """Return the day that a time falls on in a program's time zone."""
    return local(at, zone_of(program["timezone"])).date().isoformat()


def book_figures(
    store: DocumentStore, program: Document, at: datetime, changes: Changes, subledger: str = ""
) -> None:
    """Add changes to the figures of a day."""
    day = day_of(program, at)
    label = day_label(program, subledger, day)
    known = store.find("loyalty_days", label)
    if known is None:
        store.add("loyalty_days", new_day(program, subledger, day, changes), label=label)
    else:
        sums = {name: known.get(name, 0) + change for name, change in changes.items()}
        store.replace("loyalty_days", known | sums)


def day_label(program: Document, subledger: str, day: str) -> str:
    """Return the label of a day's record."""
    return json.dumps([program["id"], subledger, day])


def new_day(program: Document, subledger: str, day: str, changes: Changes) -> Document:
    """Return a day's record."""
    return {"programId": program["id"], "subledgerId": subledger, "day": day, **changes}


def phases(
    active_from: Time | None, until: Time | None, at: Time
) -> Iterator[tuple[Time, Changes]]:
    """Yield the phases of a point from a time on, each with its start and its changes of figures.

    Args:
        active_from: when it is active; None for when something else happens.
        until: when it expires; None for never.
        at: the time. All of them may be of any type that can be compared.
    """
    active = active_from is not None and active_from <= at
    expired = until is not None and until <= at
    state = "expired" if expired else "active" if active else "pending"
    yield at, {state: 1}
    if state == "pending" and active_from is not None and (until is None or active_from < until):
        yield active_from, {"pending": -1, "active": 1}
        state = "active"
    if state != "expired" and until is not None:
        yield until, {state: -1, "expired": 1}


def book_course(
    store: DocumentStore, program: Document, entry: Document, amount: float, at: datetime
) -> None:
    """Book the phases of an amount of an addition from a time on.

    A negative amount takes back what was booked for points that are used or deleted.
    """
    for time, signs in phases(_time(entry["from"]), _time(entry["expiryDate"]), at):
        changes = {name: sign * amount for name, sign in signs.items()}
        book_figures(store, program, time, changes, entry["subledgerId"])


def _time(text: str) -> datetime | None:
    return moment(text) if text[0].isdigit() else None


def figures_by_day(
    store: DocumentStore, program: Document, start: str, end: str, subledger: str | None
) -> list[Document]:
    """Return a program's figures at the end of each day of a range, inclusive."""
    zone = zone_of(program["timezone"])
    days = _sums(store, program, subledger, _column_up_to(end))
    totals: dict[str, float] = defaultdict(float)
    for day in sorted(day for day in days if day < start):
        _add(totals, days[day])
    shown = []
    current, last = date.fromisoformat(start), date.fromisoformat(end)
    while current <= last:
        change = days.get(current.isoformat(), {})
        _add(totals, change)
        midnight = datetime.combine(current, datetime.min.time(), zone)
        shown.append(_shown(stamp(midnight), totals, change))
        current += timedelta(days=1)
    return shown


def figures_at(store: DocumentStore, program: Document, at: datetime) -> Document:
    """Return a program's figures as of a time; what it earned and spent is that day's."""
    day = day_of(program, at)
    days = _sums(store, program, None, _column_up_to(day))
    totals: dict[str, float] = defaultdict(float)
    for change in days.values():
        _add(totals, change)
    for name, amount in _not_yet(store, program, at):
        totals[name] += amount
    return _shown(stamp(at), totals, days.get(day, {}))


def _not_yet(store: DocumentStore, program: Document, at: datetime) -> Iterator[tuple[str, float]]:
    """Yield corrections for changes that are booked on a day but happen later that day."""
    tomorrow = date.fromisoformat(day_of(program, at)) + timedelta(days=1)
    midnight = datetime.combine(tomorrow, datetime.min.time(), zone_of(program["timezone"]))
    now, end = stamp(at), stamp(midnight.astimezone(UTC))
    for field, state in (("from", "active"), ("expiryDate", "expired")):
        name = column(field)
        later = Condition(f"{name} > ? AND {name} < ?", (now, end))
        for entry in store.each("loyalty_entries", equal("programId", program["id"]), later):
            before = phase(entry, at) if field == "from" else _state_before(entry)
            yield state, -entry["left"]
            yield before, entry["left"]


def _state_before(entry: Document) -> str:
    """Return an addition's phase just before it expires."""
    return "active" if entry["from"] < entry["expiryDate"] else "pending"


def _column_up_to(day: str) -> Condition:
    return Condition(f"{column('day')} <= ?", (day,))


def _sums(
    store: DocumentStore, program: Document, subledger: str | None, *where: Where
) -> dict[str, dict[str, float]]:
    name = equal("programId", program["id"])
    by = Condition(column("day"))
    return store.sums("loyalty_days", by, _FIELDS, name, *where, equal("subledgerId", subledger))


def _add(totals: dict[str, float], changes: Changes) -> None:
    for name in _STATES:
        totals[name] += changes.get(name, 0)


def _shown(time: str, totals: Changes, change: Changes) -> Document:
    state = {name: rounded(totals.get(name, 0)) for name in _STATES}
    flow = {name: rounded(change.get(name, 0)) for name in _FLOWS}
    return {
        "date": time,
        "totalActivePoints": state["active"],
        "totalPendingPoints": state["pending"],
        "totalSpentPoints": state["spent"],
        "totalExpiredPoints": state["expired"],
        "totalNegativePoints": state["negative"],
        "totalMembers": state["members"],
        "newMembers": flow["members"],
        "spentPoints": {
            "createdManually": flow["spent manual"],
            "createdViaRuleEngine": flow["spent rules"],
        },
        "earnedPoints": {
            "createdManually": flow["earned manual"],
            "createdViaRuleEngine": flow["earned rules"],
        },
    }
