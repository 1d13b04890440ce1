"""The files of the log: their names and order, their first and last lines, and the lock.

Appending, rotation and `verify` share this module; none of them depends on the format of a line.
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
except ImportError:  # Windows; `_take` has a fallback
    fcntl = None  # type: ignore[assignment]

LOG, HEAD, LOCK = "audit.jsonl", "audit.head", "audit.lock"
_ROTATED = re.compile(r"audit\.jsonl\.([1-9][0-9]{0,5})")
_TAIL_BYTES = 16 * 1024  # first read at a file's end when searching for its last line
LOCK_TIMEOUT_S = 5.0
_POLL_INTERVAL_S = 0.001  # writing a line takes a fraction of that


def stored_head(folder: Path) -> Head | None:
    """Read `audit.head`; return None if it is missing or damaged."""
    try:
        raw = (folder / HEAD).read_bytes()
    except FileNotFoundError:
        return None
    return read_head(raw)


def last_link(folder: Path) -> Link | None:
    """Return the last intact line of the newest file that has one, or None."""
    links = (_last_in(path) for path in reversed(log_paths(folder)))
    return next((link for link in links if link), None)


def _last_in(path: Path) -> Link | None:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        size = _TAIL_BYTES
        while True:
            start = file.seek(max(0, end - size))
            for raw in reversed(file.read().split(b"\n")):
                if line := read_line(raw):
                    return line.link
            if not start:
                return None
            size *= 4


def first_number(paths: list[Path]) -> int | None:
    """Return the number of the first intact line, or None."""
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
    """Return the path of a renamed file; 0 is the current one."""
    return folder / (f"{LOG}.{number}" if number else LOG)


def log_paths(folder: Path) -> list[Path]:
    """Return the log's files, oldest first."""
    paths = [numbered_path(folder, number) for number in [0, *rotated_numbers(folder)]]
    return [path for path in reversed(paths) if path.exists()]


# --- The lock ----------------------------------------------------------------------------------


@contextmanager
def locked(lock_path: Path, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock, which excludes other threads and processes.

    Args:
        lock_path: the lock file.
        timeout_s: seconds to wait for other writers.

    Raises:
        AuditError: the timeout passed.
    """
    deadline = time.monotonic() + timeout_s
    while (descriptor := _take_lock(lock_path)) is None:
        if time.monotonic() >= deadline:
            raise AuditError(f"{lock_path} is locked by another process")
        time.sleep(_POLL_INTERVAL_S)
    try:
        yield
    finally:
        os.close(descriptor)
        if fcntl is None:
            lock_path.unlink()


def _take_lock(lock_path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None if another writer holds it."""
    flags = os.O_RDWR | os.O_CREAT
    if fcntl is None:  # the file itself is the lock; after a crash, someone must delete it
        try:
            return os.open(lock_path, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            return None
    descriptor = os.open(lock_path, flags, 0o600)
    try:
        # The lock belongs to the open file description: it ends with the process, and it also
        # excludes other threads, which open the file themselves.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor
