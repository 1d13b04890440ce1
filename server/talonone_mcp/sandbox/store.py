"""The sandbox's memory: JSON documents in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Document = dict[str, Any]

_TABLES = """
CREATE TABLE documents (
    kind TEXT NOT NULL,    -- campaigns, coupons, ...
    id INTEGER NOT NULL,
    parent INTEGER,        -- the id of what it belongs to: a coupon's campaign, say
    label TEXT,            -- what it is found by besides its id: a coupon's code, say
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX documents_by_parent ON documents (kind, parent, id);
CREATE UNIQUE INDEX documents_by_label ON documents (kind, label) WHERE label IS NOT NULL;
CREATE TABLE sequences (kind TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
"""


class Store:
    """Documents by kind and id. An id that was given out is never given out again."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Give up the store and everything in it."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes made inside, or, when it ends with an exception, none."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def add(
        self, kind: str, document: Document, *, parent: int | None = None, label: str | None = None
    ) -> Document:
        """Store a new document and return it with its id, which is the next one unless it has one.

        Raises:
            sqlite3.IntegrityError: the label, or the id, is taken.
        """
        number = document.get("id") or self._last(kind) + 1
        self._db.execute(
            "INSERT INTO sequences VALUES (?, ?)"
            " ON CONFLICT (kind) DO UPDATE SET last = max(last, excluded.last)",
            (kind, number),
        )
        stored = {"id": number, **document}
        self._db.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?)",
            (kind, number, parent, label, json.dumps(stored)),
        )
        return stored

    def _last(self, kind: str) -> int:
        row = self._db.execute("SELECT last FROM sequences WHERE kind = ?", (kind,)).fetchone()
        return int(row[0]) if row else 0

    def replace(self, kind: str, document: Document) -> Document:
        """Store a changed document under its id."""
        self._db.execute(
            "UPDATE documents SET body = ? WHERE kind = ? AND id = ?",
            (json.dumps(document), kind, document["id"]),
        )
        return document

    def get(self, kind: str, number: int) -> Document | None:
        """Return one document by its id."""
        return self._one("kind = ? AND id = ?", kind, number)

    def find(self, kind: str, label: str) -> Document | None:
        """Return one document by its label."""
        return self._one("kind = ? AND label = ?", kind, label)

    def _one(self, where: str, *values: object) -> Document | None:
        query = f"SELECT body FROM documents WHERE {where}"  # noqa: S608 - the texts above
        row = self._db.execute(query, values).fetchone()
        return json.loads(row[0]) if row else None

    def list(self, kind: str, parent: int | None = None) -> list[Document]:
        """Return the documents of a kind, or of one parent alone, in the order of their ids."""
        rows = self._db.execute(
            "SELECT body FROM documents"
            " WHERE kind = :kind AND (:parent IS NULL OR parent = :parent) ORDER BY id",
            {"kind": kind, "parent": parent},
        )
        return [json.loads(body) for (body,) in rows]

    def tally(self, kind: str, parent: int, field: str) -> tuple[int, float]:
        """Return how many documents a parent has, and the sum of one of their fields."""
        count, total = self._db.execute(
            "SELECT count(*), total(json_extract(body, ?)) FROM documents"
            " WHERE kind = ? AND parent = ?",
            (f"$.{field}", kind, parent),
        ).fetchone()
        return int(count), float(total)

    def delete(self, kind: str, number: int) -> None:
        """Remove one document."""
        self._db.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, number))

    def delete_children(self, kind: str, parent: int) -> None:
        """Remove every document of a kind that belongs to one parent."""
        self._db.execute("DELETE FROM documents WHERE kind = ? AND parent = ?", (kind, parent))
