"""The validity dates and usage limits that coupons and referrals share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.documents.conditions import Condition, Where, column, whether
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp

_COUNTER, _LIMIT = column("usageCounter"), column("usageLimit")


def check_dates(document: Mapping[str, Any]) -> None:
    """Refuse a validity that ends before it starts.

    Raises:
        RefusalError: 400, with a pointer to the expiry date.
    """
    start, name = document.get("startDate"), "endDate" if "endDate" in document else "expiryDate"
    end = document.get(name)
    if start and end and end <= start:
        raise RefusalError(400, f"{name} must be after startDate", pointer=f"/{name}")


def has_uses_left(wanted: object) -> Where:
    """Match codes with uses left, as the filter `usable` does; a limit of 0 means none."""
    return whether(Condition(f"{_LIMIT} = 0 OR {_COUNTER} < {_LIMIT}"), wanted)


def is_valid(state: str | None, now: datetime) -> Where:
    """Match codes that are "expired", "validNow" or "validFuture", as the filter `valid` does."""
    if state is None:
        return None
    start, expiry = column("startDate"), column("expiryDate")
    at = stamp(now)
    if state == "expired":
        return Condition(f"{expiry} <= ?", (at,))
    not_expired = f"coalesce({expiry} > ?, 1)"
    if state == "validFuture":
        return Condition(f"{not_expired} AND {start} > ?", (at, at))
    return Condition(f"{not_expired} AND coalesce({start} <= ?, 1)", (at, at))
