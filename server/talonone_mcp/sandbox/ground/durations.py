"""Durations of points and tiers, as upstream writes them: 24h, 5D, 2W, 1M_U."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# The suffixes stand in the documents as _D and _U; _DOWN and _UP are in use for the same.
_DURATION = re.compile(r"([0-9]+)([smhDWMY])(?:(_D)(?:OWN)?|(_U)P?)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_DAYS = {"D": 1, "W": 7}
_MONTHS = {"M": 1, "Y": 12}


@cache
def zone_of(name: str) -> tzinfo:
    """Return a time zone; UTC where the machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def local(time: datetime, zone: tzinfo) -> datetime:
    """Return a time in a zone; unchanged at the ends of the calendar."""
    try:
        return time.astimezone(zone)
    except OverflowError:
        return time


def is_duration(text: str) -> bool:
    """Return whether a text is a duration rather than a word or a time."""
    return _DURATION.fullmatch(text) is not None


def time_after(duration: str, start: datetime, zone: tzinfo) -> datetime:
    """Return the time a duration after another.

    Days and longer units follow the calendar of the zone. `_D` rounds down to the start of the day,
    `_U` up to the last second of the day, the week, the month or the year. A month's day that the
    target has not becomes its last day.

    Source: https://docs.talon.one/management-api: addLoyaltyPoints, validityDuration

    Raises:
        ValueError: the text is no duration, or the time lies beyond the year 9999.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration} is no duration such as 24h, 5D or 1M_U")
    number, unit, rounding = int(match[1]), match[2], match[3] or match[4]
    try:
        if unit in _SECONDS:
            return start + timedelta(seconds=number * _SECONDS[unit])
        there = start.astimezone(zone)
        if unit in _DAYS:
            there += timedelta(days=number * _DAYS[unit])
        else:
            there = _months_later(there, number * _MONTHS[unit])
        return _rounded(there, unit, rounding).astimezone(UTC)
    except (OverflowError, ValueError):
        raise ValueError(f"{duration} reaches beyond the year 9999") from None


def _months_later(time: datetime, months: int) -> datetime:
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    if year > datetime.max.year:
        raise OverflowError
    day = min(time.day, monthrange(year, month + 1)[1])
    return time.replace(year=year, month=month + 1, day=day)


def _rounded(time: datetime, unit: str, rounding: str | None) -> datetime:
    if rounding is None:
        return time
    if rounding == "_D":
        return time.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "W":
        time += timedelta(days=6 - time.weekday())
    elif unit == "M":
        time = time.replace(day=monthrange(time.year, time.month)[1])
    elif unit == "Y":
        time = time.replace(month=12, day=31)
    return time.replace(hour=23, minute=59, second=59, microsecond=0)
