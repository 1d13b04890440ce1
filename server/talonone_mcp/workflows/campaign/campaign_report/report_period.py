"""Whole days in a time zone, and as many before them: what figures are compared over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from talonone_mcp.core.errors import CallError

LAST = 30  # days, where nothing else is asked for
MOST = 366
_EARLIEST = 2000  # a year in which there was nothing to report


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included, as they are counted in `zone`."""

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
        """As many days, right before these."""
        earlier = timedelta(days=self.days)
        return Period(self.first - earlier, self.last - earlier, self.zone)


def zone_of(name: str) -> tzinfo | None:
    """Return a time zone by its name; None when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # a name that is unknown, and what is no name
        return None


def days_asked(arguments: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """Return the first and the last day that are asked for, so far as they are.

    Raises:
        CallError: `invalid_arguments`, where they are no days, or in the wrong order.
    """
    first, last = (_date(name, arguments.get(name)) for name in ("from", "to"))
    for name, asked in (("from", first), ("to", last)):
        if asked and asked.year < _EARLIEST:
            raise _wrong(name, f"is before the year {_EARLIEST}")
    if first and last and first > last:
        raise _wrong("from", "must not be later than to")
    return first, last


def period_of(arguments: Mapping[str, Any], now: datetime, zone: tzinfo) -> Period:
    """Return the days that are asked for: `from` and `to`, or `days` up to `to`.

    `to` is yesterday unless given, because today is not over.

    Raises:
        CallError: `invalid_arguments`, where those are no days that can be looked at.
    """
    today = now.astimezone(zone).date()
    first, last = days_asked(arguments)
    if max(first or today, last or today) > today:
        raise _wrong("to" if last else "from", f"is later than today, which is {today}")
    if last is None:
        last = today if first == today else today - timedelta(days=1)
    if first is None:
        first = last - timedelta(days=arguments.get("days", LAST) - 1)
    period = Period(first, last, zone)
    if period.days > MOST:
        raise _wrong("from", f"makes {period.days} days, and {MOST} are the most")
    return period


def _date(name: str, value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise _wrong(name, "is no day such as 2026-05-31") from None


def _wrong(at: str, problem: str) -> CallError:
    return CallError(
        "invalid_arguments",
        "There is no report: the days that it should be about are wrong.",
        details=[{"at": at, "problem": problem}],
        hint="Correct them and call again.",
    )
