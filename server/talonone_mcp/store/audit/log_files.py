"""The files of one folder: their names and order, what stands at their ends, and the lock.

Rotation, appending and `verify` have to agree on these, and none of them needs to know how a line
is spelled.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from talonone_mcp.store.audit.audit_log import AuditError
from talonone_mcp.store.audit.chain import Head, Link, read_head, read_line

try:
    import fcntl
except ImportError:  # Windows: `_take` does with less there
    fcntl = None  # type: ignore[assignment]

LOG, HEAD, LOCK = "audit.jsonl", "audit.head", "audit.lock"
_ROTATED = re.compile(r"audit\.jsonl\.([1-9][0-9]{0,5})")
_BLOCK = 16 * 1024  # bytes read from a file's end at first, in search of its last line
LOCK_TIMEOUT_S = 5.0
_PAUSE = 0.001  # seconds between two looks at the lock; a line takes a fraction of that


def stored_head(folder: Path) -> Head | None:
    """Read `audit.head`; None if it is missing or damaged."""
    try:
        raw = (folder / HEAD).read_bytes()
    except FileNotFoundError:
        return None
    return read_head(raw)


def last_link(folder: Path) -> Link | None:
    """Return the last whole line of the newest file that has one."""
    found = (_last_in(path) for path in reversed(log_paths(folder)))
    return next((link for link in found if link), None)


def _last_in(path: Path) -> Link | None:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        size = _BLOCK
        while True:
            start = file.seek(max(0, end - size))
            for raw in reversed(file.read().split(b"\n")):
                if line := read_line(raw):
                    return line.link
            if not start:
                return None
            size *= 4


def first_number(paths: list[Path]) -> int | None:
    """Return the number of the first whole line."""
    for path in paths:
        with path.open("rb") as file:
            for raw in file:
                if line := read_line(raw):
                    return line.link.seq
    return None


def rotated_numbers(folder: Path) -> list[int]:
    """Return the numbers of the renamed files, newest first."""
    matches = [_ROTATED.fullmatch(path.name) for path in folder.iterdir()]
    return sorted(int(match[1]) for match in matches if match)


def numbered_path(folder: Path, number: int) -> Path:
    """Return the path of a renamed file, or with 0 of the one that is written."""
    return folder / (f"{LOG}.{number}" if number else LOG)


def log_paths(folder: Path) -> list[Path]:
    """Return the log's files, oldest first."""
    paths = [numbered_path(folder, number) for number in [0, *rotated_numbers(folder)]]
    return [path for path in reversed(paths) if path.exists()]


# --- The lock ----------------------------------------------------------------------------------


@contextmanager
def locked(path: Path, patience: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock, which excludes threads and processes alike.

    Args:
        path: the file that stands for it.
        patience: seconds to wait for whoever else is writing.

    Raises:
        AuditError: others held it all the time.
    """
    until = time.monotonic() + patience
    while (descriptor := _take(path)) is None:
        if time.monotonic() >= until:
            raise AuditError(f"{path} is locked by another process")
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        os.close(descriptor)
        if fcntl is None:
            path.unlink()


def _take(path: Path) -> int | None:
    """Return the descriptor that holds the lock, or None while somebody else does."""
    flags = os.O_RDWR | os.O_CREAT
    if fcntl is None:  # then the file itself is the lock, and one that a crash left must be deleted
        try:
            return os.open(path, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            return None
    descriptor = os.open(path, flags, 0o600)
    try:
        # The lock goes with the open file: it ends when the process dies, and a second opening of
        # the file in another thread has to wait like any other.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor
