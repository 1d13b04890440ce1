"""The sandbox's memory: JSON documents in SQLite, a table for each kind."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from talonone_mcp.sandbox.documents.conditions import Condition, Where, column
from talonone_mcp.sandbox.documents.document_kinds import KINDS

Document = dict[str, Any]

_CHUNK = 1000  # documents that `each` reads at once
# `parent` is the id of what a document belongs to, a coupon's campaign, say; `label` what it is
# found by besides its id, a coupon's code, say. AUTOINCREMENT: an id is never given out twice.
_TABLE = """
CREATE TABLE "{kind}" (
    id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, label TEXT, body TEXT NOT NULL);
CREATE INDEX "{kind} by parent" ON "{kind}" (parent) WHERE parent IS NOT NULL;
CREATE UNIQUE INDEX "{kind} by label" ON "{kind}" (label) WHERE label IS NOT NULL;
"""


class DocumentStoreError(Exception):
    """The file cannot be used; the message says which and why."""


class DocumentStore:
    """The documents of one account, by kind and id.

    One thread uses it at a time. Transactions are atomic; in a file, they survive a crash.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the store.

        Args:
            path: the file that keeps it; None for memory. Where `is_new`, it is in a transaction
                that `keep` ends.

        Raises:
            DocumentStoreError: the file is no store of this version, or is in use.
        """
        self.path = path
        # Whoever serves it may do so from another thread than the one that opened it.
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512
        )
        self._db.create_function("fold", 1, _fold, deterministic=True)
        self._db.create_function("code", 1, _code, deterministic=True)
        self._db.create_function("regexp", 2, _regexp, deterministic=True)
        try:
            self.is_new = self._prepare(path)
        except sqlite3.Error as error:
            self._db.close()
            raise DocumentStoreError(f"{path} cannot be used: {error}") from None

    def _prepare(self, path: Path | None) -> bool:
        """Create missing tables; return whether the store is new."""
        definitions = "".join(_definitions())
        layout = _layout(definitions)
        [found] = self._db.execute("PRAGMA user_version").fetchone()
        [tables] = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and found != layout:
            raise sqlite3.DatabaseError("it is no account of this version of the sandbox")
        if path:
            # One process a file. In this journal mode a commit survives the end of the process.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
        if not tables:
            self._db.executescript(f"BEGIN; {definitions} PRAGMA user_version = {layout};")
        return not tables

    def close(self) -> None:
        """Close the store; a store in memory is gone."""
        self._db.close()

    def keep(self) -> None:
        """Commit a new store's first content. Until then, its file stays empty."""
        self._db.execute("COMMIT")

    def snapshot(self) -> bytes:
        """Return all that the store holds, for `restore`."""
        return self._db.serialize()

    def restore(self, snapshot: bytes) -> None:
        """Replace all that a store in memory holds by a snapshot; an open transaction stays open.

        Raises:
            sqlite3.Error: the bytes are no snapshot, or a file keeps the store.
        """
        is_open = self._db.in_transaction
        if is_open:
            self._db.execute("COMMIT")
        self._db.deserialize(snapshot)
        if is_open:
            self._db.execute("BEGIN")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes made inside, or none if an exception ends it."""
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Undo all changes made inside an open transaction: a dry run."""
        self._db.execute("SAVEPOINT rehearsal")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK TO rehearsal")
            self._db.execute("RELEASE rehearsal")

    # --- Writing ---------------------------------------------------------------------------

    def add(
        self, kind: str, document: Document, *, parent: int | None = None, label: str | None = None
    ) -> Document:
        """Store a new document and return it with its id: its own, or the next free one.

        Raises:
            sqlite3.IntegrityError: the label, or the id, is taken.
        """
        given = document.get("id")
        cursor = self._db.execute(
            f'INSERT INTO "{kind}" VALUES (?, ?, ?, ?)',  # noqa: S608 - kinds are ours
            (given, parent, label, "{}" if given is None else _written(document)),
        )
        if given is not None:
            return document
        return self.replace(kind, {"id": cursor.lastrowid, **document})

    def add_all(self, kind: str, rows: Iterable[tuple[Document, int | None, str | None]]) -> None:
        """Store many new documents, each with its id, parent and label.

        Raises:
            sqlite3.IntegrityError: a label, or an id, is taken.
        """
        self._db.executemany(
            f'INSERT INTO "{kind}" VALUES (?, ?, ?, ?)',  # noqa: S608
            ((document["id"], parent, label, _written(document))
             for document, parent, label in rows),
        )  # fmt: skip

    def next_id(self, kind: str) -> int:
        """Return the next free id."""
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (kind,)).fetchone()
        return int(row[0]) + 1 if row else 1

    def replace(self, kind: str, document: Document) -> Document:
        """Store a changed document under its id."""
        self._db.execute(
            f'UPDATE "{kind}" SET body = ? WHERE id = ?',  # noqa: S608
            (_written(document), document["id"]),
        )
        return document

    def relabel(self, kind: str, number: int, label: str | None) -> None:
        """Change a document's label.

        Raises:
            sqlite3.IntegrityError: the label is taken.
        """
        self._db.execute(f'UPDATE "{kind}" SET label = ? WHERE id = ?', (label, number))  # noqa: S608

    def delete(self, kind: str, number: int) -> None:
        """Remove one document."""
        self._db.execute(f'DELETE FROM "{kind}" WHERE id = ?', (number,))  # noqa: S608

    def delete_where(self, kind: str, *where: Where, parent: int | None = None) -> int:
        """Remove the documents that meet all conditions, and return their number."""
        clause, values = _clause(where, parent)
        return self._db.execute(f'DELETE FROM "{kind}"{clause}', values).rowcount  # noqa: S608

    # --- Reading ---------------------------------------------------------------------------

    def get(self, kind: str, number: int) -> Document | None:
        """Return one document by its id."""
        return self._one(f'SELECT body FROM "{kind}" WHERE id = ?', number)  # noqa: S608

    def find(self, kind: str, label: str) -> Document | None:
        """Return one document by its label."""
        return self._one(f'SELECT body FROM "{kind}" WHERE label = ?', label)  # noqa: S608

    def _one(self, query: str, value: object) -> Document | None:
        row = self._db.execute(query, (value,)).fetchone()
        return orjson.loads(row[0]) if row else None

    def select(
        self,
        kind: str,
        *where: Where,
        parent: int | None = None,
        sort: str | None = None,
        limit: int = -1,
        offset: int = 0,
    ) -> list[Document]:
        """Return the documents that meet all conditions.

        Args:
            kind: which kind.
            where: conditions; None is none.
            parent: the id of what they belong to; None for any.
            sort: a field, with "-" before it from the greatest down; without it come last. Then,
                and unless given, they are in the order of their ids.
            limit: how many at most; -1 for all.
            offset: how many to pass over first.
        """
        clause, values = _clause(where, parent)
        query = f'SELECT body FROM "{kind}"{clause} ORDER BY {_order(sort)} LIMIT ? OFFSET ?'  # noqa: S608
        rows = self._db.execute(query, (*values, limit, offset))
        return [orjson.loads(body) for (body,) in rows]

    def each(self, kind: str, *where: Where, parent: int | None = None) -> Iterator[Document]:
        """Yield the documents that meet all conditions, by their ids, in chunks.

        Other requests may run in between; what they add further on is seen.
        """
        last = 0
        while found := self.select(
            kind, *where, Condition("id > ?", (last,)), parent=parent, limit=_CHUNK
        ):
            yield from found
            last = found[-1]["id"]

    def count(self, kind: str, *where: Where, parent: int | None = None) -> int:
        """Return how many documents meet all conditions."""
        clause, values = _clause(where, parent)
        query = f'SELECT count(*) FROM "{kind}"{clause}'  # noqa: S608
        return int(self._db.execute(query, values).fetchone()[0])

    def total(self, kind: str, field: str, *where: Where, parent: int | None = None) -> float:
        """Return the sum of a field over the documents that meet all conditions."""
        clause, values = _clause(where, parent)
        query = f'SELECT total({column(field)}) FROM "{kind}"{clause}'  # noqa: S608
        return float(self._db.execute(query, values).fetchone()[0])

    def distinct(self, kind: str, field: str, *where: Where) -> list[Any]:
        """Return the distinct values of a field, in order.

        With an index that ends with the field, only as many documents are read as there are values.
        """
        found: list[Any] = []
        clause, values = _clause((*where, Condition(f"{column(field)} > ?")), None)
        query = f'SELECT min({column(field)}) FROM "{kind}"{clause}'  # noqa: S608
        last: Any = float("-inf")
        while last is not None:
            [last] = self._db.execute(query, (*values, last)).fetchone()
            found += [] if last is None else [last]
        return found

    def sums(
        self, kind: str, by: Condition, fields: Sequence[str], *where: Where
    ) -> dict[Any, dict[str, float]]:
        """Return the number of documents in each group, as `count`, and the fields' sums.

        Args:
            kind: which kind.
            by: SQL whose value is the group that a document belongs to.
            fields: what is added up.
            where: the conditions that they meet.
        """
        clause, values = _clause(where, None)
        totals = "".join(f", total({column(field)})" for field in fields)
        query = f'SELECT {by.sql}, count(*){totals} FROM "{kind}"{clause} GROUP BY 1'  # noqa: S608
        rows = self._db.execute(query, (*by.values, *values))
        return {group: dict(zip(("count", *fields), sums, strict=True)) for group, *sums in rows}


def _definitions() -> Iterator[str]:
    for kind, indexes in KINDS.items():
        yield _TABLE.format(kind=kind)
        for fields in indexes:
            columns = ", ".join(map(column, fields))
            yield f'CREATE INDEX "{kind} by {", ".join(fields)}" ON "{kind}" ({columns});'


def _written(document: Document) -> str:
    """Return a document as stored text.

    Raises:
        OverflowError: it has an integer of more than 64 bits.
    """
    try:
        return orjson.dumps(document).decode()
    except orjson.JSONEncodeError as error:
        raise OverflowError(error) from None


def _layout(definitions: str) -> int:
    """Return a number for the table layout; another version's file has another."""
    return crc32(definitions.encode()) & 0x7FFFFFFF


def _clause(where: Iterable[Where], parent: int | None) -> tuple[str, tuple[Any, ...]]:
    conditions = [each for each in where if each is not None]
    if parent is not None:
        conditions.insert(0, Condition("parent = ?", (parent,)))
    if not conditions:
        return "", ()
    sql = " AND ".join(f"({each.sql})" for each in conditions)
    return f" WHERE {sql}", tuple(value for each in conditions for value in each.values)


def _order(sort: str | None) -> str:
    if not sort:
        return "id"
    field = column(sort.removeprefix("-"))
    return f"{field} DESC, id DESC" if sort.startswith("-") else f"{field} NULLS LAST, id"


def _fold(text: object) -> str | None:
    return None if text is None else str(text).casefold()


def _regexp(pattern: str, text: object) -> bool:
    return re.search(pattern, str(text)) is not None


def _code(text: object) -> str:
    """Return a coupon code as its filter compares it: without dashes and case."""
    return "".join(filter(str.isalnum, str(text).casefold()))
