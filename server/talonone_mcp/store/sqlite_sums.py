"""The sums in an SQLite file. Each method is one transaction."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from secrets import token_hex

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.policy.policy_lines import MAX_WINDOW_S
from talonone_mcp.store.sqlite_file import SqliteFile
from talonone_mcp.store.sums import Amounts, Bound, Key, PrincipalSum, Spent, SumsError

SUMS_FILE = "sums.sqlite3"
_APPLICATION_ID = 0x54314D53  # marks the file as ours
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE amounts (
    entry TEXT NOT NULL, counted REAL NOT NULL,
    deployment TEXT NOT NULL, principal TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT NOT NULL,
    amount REAL NOT NULL, asked INTEGER NOT NULL
) STRICT;
CREATE INDEX by_entry ON amounts (entry);
CREATE INDEX by_time ON amounts (counted);
CREATE INDEX by_sum ON amounts (deployment, kind, unit, counted)
"""


class SqliteSums:
    """The sums of one state directory."""

    def __init__(
        self, path: Path, *, lock_timeout_s: float = 5.0, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Configure the sums; the first use opens or creates the file.

        Args:
            path: the file; created with access for its owner only.
            lock_timeout_s: seconds to wait for another process's transaction.
            clock: the time of day that the window slides by. What was counted later than now,
                because the clock was set back, counts too.
        """
        self._file = SqliteFile(
            path, _APPLICATION_ID, _SCHEMA_VERSION, _SCHEMA, "a file of sums", SumsError,
            lock_timeout_s,
        )  # fmt: skip
        self._clock = clock

    def count(
        self,
        deployment: str,
        principal: str,
        amounts: Amounts,
        bounds: Mapping[Key, Bound],
        window_s: float,
    ) -> str | None:
        """See `Sums.count`."""
        counted = _checked(amounts)
        if not counted:
            return _new_entry()
        with self._file.transaction() as db:
            since = self._clock.now() - window_s
            before = _unasked(db, deployment, principal, since, counted)
            if any(_exceeds(key, counted[key], before, bounds) for key in counted):
                return None
            return self._insert(db, deployment, principal, counted, asked=False)

    def count_asked(self, deployment: str, principal: str, amounts: Amounts) -> str:
        """See `Sums.count_asked`."""
        counted = _checked(amounts)
        if not counted:
            return _new_entry()
        with self._file.transaction() as db:
            return self._insert(db, deployment, principal, counted, asked=True)

    def give_back(self, entry: str) -> None:
        """See `Sums.give_back`."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM amounts WHERE entry = ?", (entry,))

    def spent(self, deployment: str, principal: str, window_s: float) -> Spent:
        """See `Sums.spent`."""
        with self._file.transaction() as db:
            since = self._clock.now() - window_s
            keys = db.execute(
                "SELECT DISTINCT kind, unit FROM amounts WHERE deployment = ? AND counted > ?",
                (deployment, since),
            ).fetchall()
            return _unasked(db, deployment, principal, since, keys)

    def by_principal(self, deployment: str, window_s: float) -> list[PrincipalSum]:
        """See `Sums.by_principal`."""
        with self._file.transaction() as db:
            rows = db.execute(
                "SELECT principal, kind, unit,"
                " total(CASE WHEN asked THEN 0 ELSE amount END),"
                " total(CASE WHEN asked THEN amount ELSE 0 END)"
                " FROM amounts WHERE deployment = ? AND counted > ?"
                " GROUP BY principal, kind, unit ORDER BY principal, kind, unit",
                (deployment, self._clock.now() - window_s),
            )
            return [PrincipalSum(*row) for row in rows]

    def _insert(
        self,
        db: sqlite3.Connection,
        deployment: str,
        principal: str,
        amounts: Amounts,
        *,
        asked: bool,
    ) -> str:
        """Enter a call, and forget what is in no window any more."""
        now, entry = self._clock.now(), _new_entry()
        db.execute("DELETE FROM amounts WHERE counted <= ?", (now - MAX_WINDOW_S,))
        db.executemany(
            "INSERT INTO amounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (entry, now, deployment, principal, kind, unit, amount, asked)
                for (kind, unit), amount in amounts.items()
            ],
        )
        return entry


def _new_entry() -> str:
    return token_hex(12)


def _checked(amounts: Amounts) -> dict[Key, float]:
    """Return the amounts that count.

    Raises:
        ValueError: one is negative or not finite, which would make room for others.
    """
    for key, amount in amounts.items():
        if not (math.isfinite(amount) and amount >= 0):
            raise ValueError(f"{key}: {amount} cannot be counted")
    return {key: float(amount) for key, amount in amounts.items() if amount}


def _exceeds(key: Key, amount: float, before: Spent, bounds: Mapping[Key, Bound]) -> bool:
    bound = bounds.get(key, Bound(None, None))
    return any(
        limit is not None and sums.get(key, 0.0) + amount > limit
        for limit, sums in ((bound.own, before.own), (bound.all, before.all))
    )


def _unasked(
    db: sqlite3.Connection, deployment: str, principal: str, since: float, keys: Iterable[Key]
) -> Spent:
    """Return the sums of these kinds and units, counted after a time."""
    own, together = dict[Key, float](), dict[Key, float]()
    for kind, unit in keys:
        own[kind, unit], together[kind, unit] = db.execute(
            "SELECT total(CASE WHEN principal = ? THEN amount ELSE 0 END), total(amount)"
            " FROM amounts WHERE deployment = ? AND kind = ? AND unit = ? AND counted > ?"
            " AND NOT asked",
            (principal, deployment, kind, unit, since),
        ).fetchone()
    return Spent(own, together)
