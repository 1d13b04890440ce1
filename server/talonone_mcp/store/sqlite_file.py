"""An SQLite file that all processes of this user share.

Each transaction opens the file, runs exclusively and closes it. That takes a few hundred
microseconds, and a crash, a fork or another process leaves nothing behind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A file with tables of ours.

    Attributes:
        path: the file; created with access for its owner only.
        application_id: marks the file as ours.
        version: of the schema.
        schema: the statements that make the tables of a new file.
        called: what the file is, for messages: "a ledger".
        error: raised if the file cannot be used; the message says why.
        lock_timeout_s: seconds to wait for another process's transaction.
    """

    path: Path
    application_id: int
    version: int
    schema: str
    called: str
    error: type[Exception]
    lock_timeout_s: float

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one exclusive transaction.

        Raises:
            Exception: `error`: the file cannot be written, is locked or broken, or is not ours.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            with closing(sqlite3.connect(self.path, timeout=self.lock_timeout_s)) as db:
                db.isolation_level = None
                db.execute("PRAGMA synchronous = FULL")
                db.execute("BEGIN IMMEDIATE")
                self._prepare(db)
                try:
                    yield db
                except BaseException:
                    db.execute("ROLLBACK")
                    raise
                db.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise self.error(f"{self.path} cannot be used: {reason}") from error

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Create the tables in a new file; refuse a foreign file or one of another version."""
        [application_id] = db.execute("PRAGMA application_id").fetchone()
        [version] = db.execute("PRAGMA user_version").fetchone()
        if (application_id, version) == (self.application_id, self.version):
            return
        [tables] = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application_id or version or tables:
            raise self.error(f"{self.path} is not {self.called} of this version; move it away")
        for statement in self.schema.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {self.application_id}")
        db.execute(f"PRAGMA user_version = {self.version}")
