"""When a customer's round of an achievement starts and ends, and its status.

https://docs.talon.one/management-api: createAchievement, period, recurrencePolicy, activationPolicy
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.durations import time_after
from talonone_mcp.sandbox.ground.timestamps import moment, stamp

# About how many seconds a unit has: exactly, up to the week
_SECONDS = {"s": 1, "m": 60, "h": 3600, "D": 86_400, "W": 604_800, "M": 2_629_746, "Y": 31_556_952}
_PERIOD = re.compile(r"([0-9]+(?:[.][0-9]+)?)([smhDWMY])((?:_[DU])?)")


def status_of(round_: Document, now: datetime) -> str:
    """Return the status of a customer's round: "completed", "expired" or "inprogress"."""
    if "completionDate" in round_:
        return "completed"
    return "expired" if round_.get("endDate", "9999") <= stamp(now) else "inprogress"


def is_over(achievement: Document, round_: Document, now: datetime) -> bool:
    """Return whether the customer may begin another round after this one."""
    policy, status = achievement["recurrencePolicy"], status_of(round_, now)
    if policy == "no_recurrence":
        return False
    if policy == "on_completion" and status == "completed":
        return True
    return bool(round_.get("endDate", "9999") <= stamp(now))


def span(achievement: Document, now: datetime, zone: tzinfo) -> dict[str, str]:
    """Return `startDate` and, if it ends, `endDate` of a round that starts now.

    Args:
        achievement: its definition.
        now: when the customer makes progress for the first time.
        zone: the time zone of the Application, in which days and longer units are counted.
    """
    start, end = now, None
    if achievement["activationPolicy"] == "fixed_schedule":
        start, end = _scheduled(achievement, now, zone)
    elif "period" in achievement:
        end = _end(achievement, start, 1, zone)
    times = {"startDate": stamp(start)} | ({"endDate": stamp(end)} if end else {})
    last = [achievement["endDate"]] if "endDate" in achievement else []
    if last:
        times["endDate"] = min([*last, *([times["endDate"]] if end else [])])
    return times


def _scheduled(
    achievement: Document, now: datetime, zone: tzinfo
) -> tuple[datetime, datetime | None]:
    """Return the start and end of the scheduled round that contains a time."""
    first = moment(achievement["fixedStartDate"])
    if "period" not in achievement:
        return first, None
    number, unit, _ = _parts(achievement["period"])
    elapsed = max((now - first).total_seconds(), 0)
    turn = max(int(elapsed / (_SECONDS[unit] * number)) - 1, 1)  # near it, and not behind
    while (end := _end(achievement, first, turn, zone)) <= now:
        turn += 1
    return (_end(achievement, first, turn - 1, zone) if turn > 1 else first), end


def _end(achievement: Document, first: datetime, turns: int, zone: tzinfo) -> datetime:
    """Return when the last of `turns` rounds ends, counted from the start of the first."""
    number, unit, rounding = _parts(achievement["period"])
    length = number * turns
    if "periodEndOverride" in achievement:
        return _absolute_end(achievement["periodEndOverride"], first, length, unit, zone)
    if length.is_integer():
        return time_after(f"{int(length)}{unit}{rounding}", first, zone)
    return time_after(f"{round(length * _SECONDS[unit])}s", first, zone)


def _parts(period: str) -> tuple[float, str, str]:
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ValueError(f"{period} is no period")
    return float(match[1]), match[2], match[3]


def _absolute_end(
    override: Mapping[str, Any], first: datetime, length: float, unit: str, zone: tzinfo
) -> datetime:
    """Return the first time of the override's kind that ends the last unit of the length."""
    whole = unit if unit in "DWMY" else "D"
    base = time_after(f"{max(int(length) - 1, 0)}{whole}", first, zone)
    end = _set_in(base.astimezone(zone), override, whole)
    if end <= base:
        end = _set_in(time_after(f"1{whole}", base, zone).astimezone(zone), override, whole)
    return end.astimezone(UTC)


def _set_in(time: datetime, override: Mapping[str, Any], unit: str) -> datetime:
    time = time.replace(
        hour=override["hour"], minute=override["minute"], second=override["second"], microsecond=0
    )
    if unit == "W":
        return time + timedelta(days=override.get("dayOfWeek", 7) - time.isoweekday())
    if unit == "Y":
        time = time.replace(day=1, month=override.get("month", 12))
    if unit in "MY":
        last = monthrange(time.year, time.month)[1]
        time = time.replace(day=min(override.get("dayOfMonth", last), last))
    return time
