"""The period of a report: whole days in a time zone, compared with as many days before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from talonone_mcp.core.errors import CallError

DEFAULT_DAYS = 30
MAX_DAYS = 366
_EARLIEST_YEAR = 2000  # Talon.One did not exist yet


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included, in the time zone `zone`."""

    first: date
    last: date
    zone: tzinfo

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        """The beginning of the first day."""
        return datetime.combine(self.first, time(), self.zone)

    @property
    def end(self) -> datetime:
        """The end of the last day."""
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone)

    @property
    def before(self) -> Period:
        """As many days, immediately before these."""
        earlier = timedelta(days=self.days)
        return Period(self.first - earlier, self.last - earlier, self.zone)


def days_asked(arguments: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """Return the first and the last day that a call asks for, each None if it does not.

    Raises:
        CallError: `invalid_arguments` if they are not days, or in the wrong order.
    """
    first, last = (_date(name, arguments.get(name)) for name in ("from", "to"))
    for name, asked in (("from", first), ("to", last)):
        if asked and asked.year < _EARLIEST_YEAR:
            raise _wrong(name, f"is before the year {_EARLIEST_YEAR}")
    if first and last and first > last:
        raise _wrong("from", "must not be later than to")
    return first, last


def period_of(arguments: Mapping[str, Any], now: datetime, zone: tzinfo) -> Period:
    """Return the days that a call asks for: `from` and `to`, or `days` up to `to`.

    `to` defaults to yesterday, because today is not over.

    Raises:
        CallError: `invalid_arguments` if there can be no report on those days.
    """
    today = now.astimezone(zone).date()
    first, last = days_asked(arguments)
    if max(first or today, last or today) > today:
        raise _wrong("to" if last else "from", f"is later than today, which is {today}")
    if last is None:
        last = today if first == today else today - timedelta(days=1)
    if first is None:
        first = last - timedelta(days=arguments.get("days", DEFAULT_DAYS) - 1)
    period = Period(first, last, zone)
    if period.days > MAX_DAYS:
        raise _wrong("from", f"makes the period {period.days} days; at most {MAX_DAYS} are allowed")
    return period


def _date(name: str, value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise _wrong(name, "is not a date such as 2026-05-31") from None


def _wrong(at: str, problem: str) -> CallError:
    return CallError(
        "invalid_arguments",
        "There is no report: the days asked for are wrong.",
        details=[{"at": at, "problem": problem}],
        hint="Correct them and call again.",
    )
