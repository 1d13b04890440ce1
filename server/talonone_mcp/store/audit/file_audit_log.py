"""The audit log in files: one JSON line per call, each bound to the previous line by a hash.

Editing, removing, adding or moving lines breaks the chain, and `verify` names the place. There is
no key: anyone who can write to the folder can rewrite the whole chain with `audit.head`, or remove
it all. Only a copy of the last hash kept elsewhere reveals that.

The files in the folder:

- `audit.jsonl`. When full, it is renamed to `audit.jsonl.1` (the newest), `.2` and so on. The chain
  continues across files.
- `audit.head`: the number and hash of the last line, which reveals lines cut off at the end, and
  the number of the first line that must exist, which reveals lines missing at the beginning.
- `audit.lock`: empty; a writer holds a lock on it.

`hash` is the SHA-256 of the line without it, as UTF-8 JSON with sorted keys and no spaces.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.store.audit.audit_log import AuditError
from talonone_mcp.store.audit.chain import (
    NO_HASH,
    RESERVED_FIELDS,
    Head,
    Link,
    dumped,
    dumped_head,
    hash_of,
)
from talonone_mcp.store.audit.log_files import (
    HEAD,
    LOCK,
    LOCK_TIMEOUT_S,
    LOG,
    first_number,
    last_link,
    locked,
    log_paths,
    numbered_path,
    rotated_numbers,
    stored_head,
)

_MAX_DEPTH = 64  # nested objects and lists; far below the limit of Python's JSON parser


class FileAuditLog:
    """The log in one folder, safe for concurrent threads and processes."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = 10_000_000,
        keep: int = 9,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Configure the log; the first use touches the folder.

        Args:
            folder: the folder; created with access for its owner only.
            max_bytes: the file is renamed before a line would exceed this size.
            keep: how many renamed files to keep, at least one. Older ones are deleted.
            lock_timeout_s: seconds to wait for other writers.
            clock: the time that lines record.

        Raises:
            ValueError: `keep` is less than one.
        """
        if keep < 1:
            raise ValueError("keep must be at least 1")
        self._folder = folder
        self._path = folder / LOG
        self._max_bytes = max_bytes
        self._keep = keep
        self._lock_timeout_s = lock_timeout_s
        self._clock = clock

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one line.

        Args:
            record: JSON values. Non-finite numbers are written as "NaN" or "Infinity".

        Raises:
            AuditError: the line cannot be written, or the record is not JSON, is nested too deeply
                or uses a reserved field.
        """
        fields = self._as_read_back(record)
        with self._exclusive():
            last, head = last_link(self._folder), stored_head(self._folder)
            line = self._line(fields, last, head)
            data = dumped(line) + b"\n"
            first = head.first if head else first_number(log_paths(self._folder)) or line["seq"]
            if self._path.exists() and self._path.stat().st_size + len(data) > self._max_bytes:
                first = self._rotate(head, first)
            self._write(data, Head(Link(line["seq"], line["hash"]), first))

    def check(self) -> None:
        """Check that a line could be written now, without writing one.

        Raises:
            AuditError: it could not.
        """
        with self._exclusive():
            self._path.touch(mode=0o600)
            with self._path.open("ab"):
                last_link(self._folder)
            head = stored_head(self._folder) or Head(Link(1, NO_HASH), 1)
            self._draft(head).unlink()

    def _as_read_back(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record as JSON will read it back, so that its hash stays the same."""
        try:
            fields: dict[str, Any] = json.loads(json.dumps(dict(record)), parse_constant=str)
            depth = _depth(fields)
        except (TypeError, ValueError, RecursionError) as error:
            raise AuditError(f"{self._path} cannot hold this record: {error}") from error
        if depth > _MAX_DEPTH:
            raise AuditError(f"{self._path} cannot hold a record nested {depth} deep")
        if taken := [name for name in RESERVED_FIELDS if name in fields]:
            raise AuditError(f"{self._path} cannot hold a record with {', '.join(taken)}")
        return fields

    def _line(
        self, fields: Mapping[str, Any], last: Link | None, head: Head | None
    ) -> dict[str, Any]:
        """Chain the fields to the last line.

        A mismatch with the head is always recorded, because the next head would hide it. A head
        that is ahead means that lines are missing, so their numbers stay unused. The line notes any
        other mismatch.
        """
        at = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds")
        before = max(last.seq if last else 0, head.last.seq if head else 0)
        line = {"seq": before + 1, "time": at.replace("+00:00", "Z"), **fields}
        if last and (head is None or (head.last != last and head.last.seq <= last.seq)):
            line["head"] = "differs" if head else "lost"
        line["prev"] = last.hash if last else NO_HASH
        line["hash"] = hash_of(line)
        return line

    def _write(self, data: bytes, head: Head) -> None:
        """Write line and head, or neither."""
        self._path.touch(mode=0o600)
        with self._path.open("ab+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a writer died halfway: keep what it wrote
                    data = b"\n" + data
            try:
                if file.write(data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._draft(head).replace(self._folder / HEAD)
            except OSError:
                file.truncate(size)
                raise

    def _draft(self, head: Head) -> Path:
        """Write a head beside the current one, for an atomic `replace`."""
        draft = self._folder / f"{HEAD}.new"
        draft.touch(mode=0o600)
        draft.write_bytes(dumped_head(head))
        return draft

    def _rotate(self, head: Head | None, first: int) -> int:
        """Rename the full file and delete surplus ones; return the number of the first line left.

        The head is updated before a deletion, so that a crash in between does not look like
        tampering.
        """
        numbers = rotated_numbers(self._folder)
        gap = next((n for n in range(1, self._keep) if n not in numbers), self._keep)
        doomed = [numbered_path(self._folder, n) for n in numbers if n > self._keep or n == gap]
        if doomed:
            remaining = [path for path in log_paths(self._folder) if path not in doomed]
            first = first_number(remaining) or first
            if head:
                self._draft(replace(head, first=first)).replace(self._folder / HEAD)
        for path in doomed:
            path.unlink()
        for number in range(gap, 0, -1):
            numbered_path(self._folder, number - 1).replace(numbered_path(self._folder, number))
        return first

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Exclude other writers; turn system errors into `AuditError`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._folder / LOCK, self._lock_timeout_s):
                yield
        except OSError as error:
            path, reason = error.filename or self._path, error.strerror or error
            raise AuditError(f"{path} cannot be written: {reason}") from error


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
