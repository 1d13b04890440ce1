"""The ledger in an SQLite file. Each method is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from secrets import choice
from typing import Any

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.store.ledger import (
    MAX_PENDING,
    Approval,
    DecisionError,
    GatedCall,
    LedgerError,
    TooManyPendingError,
)
from talonone_mcp.store.sqlite_file import SqliteFile

LEDGER_FILE = "approvals.sqlite3"
_APPLICATION_ID = 0x54314D43  # marks the file as ours
_SCHEMA_VERSION = 1
_KEEP_EXPIRED_S = 7 * 24 * 3600.0  # before deletion; unanswered calls stay
_ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes
_SCHEMA = """
CREATE TABLE approvals (
    id TEXT PRIMARY KEY, state TEXT NOT NULL,
    principal TEXT NOT NULL, client TEXT NOT NULL, deployment TEXT NOT NULL, tool TEXT NOT NULL,
    arguments TEXT NOT NULL, digest TEXT NOT NULL,
    question TEXT NOT NULL, seen TEXT NOT NULL, created REAL NOT NULL, expires REAL NOT NULL,
    decided_by TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE INDEX by_call ON approvals (digest, state);
CREATE INDEX by_principal ON approvals (principal, state);
"""
_COLUMNS = (
    "id, state, principal, client, deployment, tool, arguments, digest,"
    " question, created, expires, decided_by, reason"
)


class SqliteLedger:
    """The ledger of one state directory."""

    def __init__(
        self,
        path: Path,
        *,
        lifetime: float = 600.0,
        lock_timeout_s: float = 3.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Configure the ledger; the first use opens or creates the file.

        Args:
            path: the file; created with access for its owner only.
            lifetime: seconds that an approval waits for a decision, and then for its call.
            lock_timeout_s: seconds to wait for another process's transaction.
            clock: the time that expiry is judged by.
        """
        self._file = SqliteFile(
            path, _APPLICATION_ID, _SCHEMA_VERSION, _SCHEMA, "a ledger", LedgerError, lock_timeout_s
        )
        self._lifetime = lifetime
        self._clock = clock

    def unanswered(self, call: str) -> Approval | None:
        """See `Ledger.unanswered`."""
        with self._file.transaction() as db:
            where = "digest = ? AND state = 'sent' ORDER BY created LIMIT 1"
            unanswered = self._first(db, where, call)
            if unanswered:
                self._set_state(db, unanswered.id, "unknown")
            return unanswered

    def request(self, call: GatedCall, question: str, seen: str) -> Approval:
        """See `Ledger.request`."""
        with self._file.transaction() as db:
            now = self._clock.now()
            where = (
                "digest = ? AND seen = ? AND state IN ('pending', 'approved', 'denied')"
                " AND created <= ? AND ? < expires ORDER BY created DESC LIMIT 1"
            )
            existing = self._first(db, where, call.digest, seen, now, now)
            if existing:
                return existing
            waiting = "principal = ? AND state = 'pending' AND ? < expires"
            [count] = db.execute(
                f"SELECT count(*) FROM approvals WHERE {waiting}",  # noqa: S608 - constant text
                (call.principal, now),
            ).fetchone()
            if count >= MAX_PENDING:
                raise TooManyPendingError
            return self._insert(db, call, question, "pending", seen=seen)

    def consume(self, approval: str) -> bool:
        """See `Ledger.consume`."""
        with self._file.transaction() as db:
            now = self._clock.now()
            changed = db.execute(
                "UPDATE approvals SET state = 'sent' WHERE id = ? AND state = 'approved'"
                " AND created <= ? AND ? < expires",
                (approval, now, now),
            )
            return changed.rowcount == 1

    def enter(self, call: GatedCall, question: str, by: str) -> str:
        """See `Ledger.enter`."""
        with self._file.transaction() as db:
            return self._insert(db, call, question, "sent", by=by).id

    def keep(self, call: GatedCall, question: str, entry: str) -> None:
        """See `Ledger.keep`."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM approvals WHERE id = ? AND state = 'shown'", (entry,))
            if self._first(db, "id = ?", entry) is None:
                self._insert(db, call, question, "shown", id_=entry)

    def close(self, approval: str) -> None:
        """See `Ledger.close`."""
        with self._file.transaction() as db:
            self._set_state(db, approval, "done")

    def get(self, approval: str) -> Approval | None:
        """See `Ledger.get`."""
        with self._file.transaction() as db:
            return self._first(db, "id = ?", approval)

    def waiting(self) -> list[Approval]:
        """See `Ledger.waiting`."""
        with self._file.transaction() as db:
            now = self._clock.now()
            live = "state IN ('pending', 'approved') AND created <= ? AND ? < expires"
            return list(self._select(db, f"{live} ORDER BY created", now, now))

    def decide(self, approval: str, *, approve: bool, by: str, reason: str = "") -> Approval:
        """See `Ledger.decide`."""
        with self._file.transaction() as db:
            entry, now = self._first(db, "id = ?", approval), self._clock.now()
            if entry is None:
                raise DecisionError(f"There is no approval {approval}.")
            if entry.state == "shown":
                raise DecisionError(f"{approval} is asked about in the conversation; answer there.")
            revoked = entry.state == "approved" and not approve
            if entry.state != "pending" and not revoked:
                raise DecisionError(f"Approval {approval} is already {entry.state}.")
            if not entry.created <= now < entry.expires:
                raise DecisionError(f"Approval {approval} has expired; the agent must call again.")
            db.execute(
                "UPDATE approvals SET state = ?, decided_by = ?, reason = ?, expires = ?"
                " WHERE id = ?",
                ("approved" if approve else "denied", by, reason, now + self._lifetime, approval),
            )
            decided = self._first(db, "id = ?", approval)
            assert decided is not None  # noqa: S101 - written in this transaction
            return decided

    def prune(self) -> int:
        """See `Ledger.prune`."""
        with self._file.transaction() as db:
            now = self._clock.now()
            expired = db.execute(
                "DELETE FROM approvals WHERE state = 'pending' AND expires <= ?", (now,)
            )
            return expired.rowcount + self._forget_old(db)

    # --- The table -----------------------------------------------------------------------------

    def _select(self, db: sqlite3.Connection, where: str, *values: Any) -> Iterator[Approval]:
        rows = db.execute(f"SELECT {_COLUMNS} FROM approvals WHERE {where}", values)  # noqa: S608
        for id_, state, *columns in rows:
            yield Approval(id_, state, GatedCall(*columns[:6]), *columns[6:])

    def _first(self, db: sqlite3.Connection, where: str, *values: Any) -> Approval | None:
        return next(self._select(db, where, *values), None)

    def _forget_old(self, db: sqlite3.Connection) -> int:
        cutoff = self._clock.now() - _KEEP_EXPIRED_S
        where = "state != 'sent' AND expires <= ?"
        return db.execute(f"DELETE FROM approvals WHERE {where}", (cutoff,)).rowcount  # noqa: S608

    def _insert(  # noqa: PLR0913 - the columns
        self,
        db: sqlite3.Connection,
        call: GatedCall,
        question: str,
        state: str,
        *,
        by: str = "",
        seen: str = "",
        id_: str = "",
    ) -> Approval:
        now = self._clock.now()
        self._forget_old(db)
        id_ = id_ or "".join(choice(_ID_ALPHABET) for _ in range(10))
        row = (id_, state, *astuple(call), question, now, now + self._lifetime, by, "", seen)
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO approvals ({_COLUMNS}, seen) VALUES ({marks})", row)  # noqa: S608
        return next(self._select(db, "id = ?", id_))

    def _set_state(self, db: sqlite3.Connection, approval: str, state: str) -> None:
        db.execute("UPDATE approvals SET state = ? WHERE id = ?", (state, approval))
