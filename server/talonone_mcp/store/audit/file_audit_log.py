"""The audit log in files: one JSON line a call, each bound to the line before it by a hash.

Whoever edits, removes, adds or moves lines afterwards breaks the chain, and `verify` names the
place. There is no key: who may write the folder can write the whole chain and `audit.head` anew,
or remove it all, and only a copy of the last hash that is kept elsewhere tells.

The files of one folder:

- `audit.jsonl`, and `audit.jsonl.1` (the newest) and up, which it was renamed to when it was full.
  The chain goes on across them.
- `audit.head`: the last line's number and hash, so that lines cut off at the end are missed, and
  the number of the first line that has to be there, so that those at the beginning are.
- `audit.lock`: empty; whoever writes holds a lock on it.

`hash` is SHA-256 over the line without it, as JSON with sorted keys and no spaces, in UTF-8.
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
from talonone_mcp.store.audit.chain import NONE, OURS, Head, Link, dumped, dumped_head, hash_of
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

_DEEPEST = 64  # nested objects and lists: far from where Python's JSON reader gives up


class FileAuditLog:
    """The log of one folder, which other threads and processes may write at the same time."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = 10_000_000,
        keep: int = 9,
        patience: float = LOCK_TIMEOUT_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Take what the log needs; the folder is not touched before it is used.

        Args:
            folder: the folder, made with access for its owner alone when it is not there.
            max_bytes: the file is renamed before a line would make it larger than this.
            keep: how many renamed files are kept, at least one. Lines in older ones are deleted.
            patience: seconds to wait for whoever else is writing.
            clock: tells the time.
        """
        if keep < 1:
            raise ValueError("keep must be at least 1")
        self._folder = folder
        self._path = folder / LOG
        self._max_bytes = max_bytes
        self._keep = keep
        self._patience = patience
        self._clock = clock

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one line.

        Args:
            record: JSON values. What JSON has no number for is written as "NaN" or "Infinity".

        Raises:
            AuditError: the line was not written; or the record is no JSON, is nested too deeply,
                or holds a field of the log's own.
        """
        fields = self._plain(record)
        with self._alone():
            last, head = last_link(self._folder), stored_head(self._folder)
            line = self._line(fields, last, head)
            data = dumped(line) + b"\n"
            first = head.first if head else first_number(log_paths(self._folder)) or line["seq"]
            if self._path.exists() and self._path.stat().st_size + len(data) > self._max_bytes:
                first = self._rotate(head, first)
            self._write(data, Head(Link(line["seq"], line["hash"]), first))

    def check(self) -> None:
        """Return if a line could be written now. None is.

        Raises:
            AuditError: it could not.
        """
        with self._alone():
            self._path.touch(mode=0o600)
            with self._path.open("ab"):
                last_link(self._folder)
            head = stored_head(self._folder) or Head(Link(1, NONE), 1)
            self._draft(head).unlink()

    def _plain(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record as it will be read again, so that its hash is the same then."""
        try:
            fields: dict[str, Any] = json.loads(json.dumps(dict(record)), parse_constant=str)
            depth = _depth(fields)
        except (TypeError, ValueError, RecursionError) as error:
            raise AuditError(f"{self._path} takes no such record: {error}") from error
        if depth > _DEEPEST:
            raise AuditError(f"{self._path} takes no record nested {depth} deep")
        if taken := [name for name in OURS if name in fields]:
            raise AuditError(f"{self._path} takes no record with {', '.join(taken)}")
        return fields

    def _line(
        self, fields: Mapping[str, Any], last: Link | None, head: Head | None
    ) -> dict[str, Any]:
        """Chain the fields to the last line.

        What does not fit is never smoothed over, since the next head would hide it. A head that is
        ahead means that lines are gone: their numbers stay unused. Any other that does not fit is
        noted in the line.
        """
        at = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds")
        before = max(last.seq if last else 0, head.last.seq if head else 0)
        line = {"seq": before + 1, "time": at.replace("+00:00", "Z"), **fields}
        if last and (head is None or (head.last != last and head.last.seq <= last.seq)):
            line["head"] = "differs" if head else "lost"
        line["prev"] = last.hash if last else NONE
        line["hash"] = hash_of(line)
        return line

    def _write(self, data: bytes, head: Head) -> None:
        """Write line and head, or neither."""
        self._path.touch(mode=0o600)
        with self._path.open("ab+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # somebody died while writing: leave what there is
                    data = b"\n" + data
            try:
                if file.write(data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._draft(head).replace(self._folder / HEAD)
            except OSError:
                file.truncate(size)
                raise

    def _draft(self, head: Head) -> Path:
        """Write a head beside the valid one, for `replace` to put it there at once."""
        draft = self._folder / f"{HEAD}.new"
        draft.touch(mode=0o600)
        draft.write_bytes(dumped_head(head))
        return draft

    def _rotate(self, head: Head | None, first: int) -> int:
        """Rename the full file, delete what is too old; return the number of the first line left.

        The head says what will be deleted before it is, lest a crash in between look like theft.
        """
        numbers = rotated_numbers(self._folder)
        free = next((n for n in range(1, self._keep) if n not in numbers), self._keep)
        doomed = [numbered_path(self._folder, n) for n in numbers if n > self._keep or n == free]
        if doomed:
            left = [path for path in log_paths(self._folder) if path not in doomed]
            first = first_number(left) or first
            if head:
                self._draft(replace(head, first=first)).replace(self._folder / HEAD)
        for path in doomed:
            path.unlink()
        for number in range(free, 0, -1):
            numbered_path(self._folder, number - 1).replace(numbered_path(self._folder, number))
        return first

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other writer out; turn what the system refuses into an `AuditError`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._folder / LOCK, self._patience):
                yield
        except OSError as error:
            path, reason = error.filename or self._path, error.strerror or error
            raise AuditError(f"{path} cannot be written: {reason}") from error


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
