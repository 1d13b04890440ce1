"""Verify a log that someone may have tampered with, naming every such place.

Unlike the writer, this trusts nothing that it reads, needs no write access, and continues after a
problem.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from talonone_mcp.store.audit.audit_log import AuditError
from talonone_mcp.store.audit.chain import NO_HASH, Head, Line, Link, read_line
from talonone_mcp.store.audit.log_files import (
    HEAD,
    LOCK,
    LOG,
    locked,
    log_paths,
    stored_head,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of `verify`.

    Attributes:
        lines: how many lines there are, including damaged ones.
        files: how many files there are.
        first: the number (`seq`) of the first intact line; 0 if there is none.
        problems: what is wrong, each with its file and, if it concerns one, the line.
    """

    lines: int
    files: int
    first: int
    problems: tuple[str, ...]


class _File(NamedTuple):
    name: str
    file: BinaryIO
    size: int


def verify(folder: Path) -> Verdict:
    """Read the whole log, oldest file first, and report what is wrong with it.

    Files deleted by rotation are not a problem. Without `audit.head`, nothing tells where the log
    must start, so a log with renamed files may start anywhere.
    """
    had_writers = (folder / LOCK).exists()
    verdict = _read_through(folder)
    if verdict.problems and not had_writers and (folder / LOCK).exists():
        return _read_through(folder)  # a writer was just starting; there was no lock to wait for
    return verdict


def _read_through(folder: Path) -> Verdict:
    problems: list[str] = []
    lines, first = 0, 0
    last: Link | None = None
    with ExitStack() as opened:
        head, files = _snapshot(folder, opened, problems)
        for where, raw in _lines(files, problems):
            lines += 1
            line = read_line(raw)
            if line is None:
                problems.append(f"{where}: the line is damaged")
                continue
            if last is None:
                first = line.link.seq
                last = _before(line, head, rotated=files[0].name != LOG)
            line_problems, last = _follow(line, last)
            problems += [f"{where}: {problem}" for problem in line_problems]
    if head:
        problems += _ending(head, last)
    return Verdict(lines, len(files), first, tuple(problems))


def _before(line: Line, head: Head | None, *, rotated: bool) -> Link:
    """Return the link that the first line must follow."""
    expected = line.link.seq if rotated else 1
    if head:  # earlier lines remain if a crash interrupted their deletion
        expected = min(head.first, line.link.seq)
    return Link(expected - 1, NO_HASH if expected == 1 else line.prev)


def _follow(line: Line, last: Link) -> tuple[list[str], Link]:
    """Return the problems of a line after `last`, and the link that the next line must follow."""
    if not line.genuine:  # so its number is not to be trusted either
        return ["the line was changed"], Link(last.seq + 1, line.link.hash)
    problems = []
    missing = line.link.seq - last.seq - 1
    if missing < 0:
        return ["the line is out of order"], last
    if missing:
        problems.append(f"{_count(missing)} before it {'is' if missing == 1 else 'are'} missing")
    elif line.prev != last.hash:
        problems.append("the line does not follow from the one before it")
    if line.noted:
        problems.append(f"when the line was written, {HEAD} did not name the one before it")
    return problems, line.link


def _ending(head: Head, last: Link | None) -> list[str]:
    last = last or Link(head.first - 1, NO_HASH)
    missing = head.last.seq - last.seq
    if missing:
        lines = "line is" if abs(missing) == 1 else f"{abs(missing)} lines are"
        state = "missing" if missing > 0 else f"not known to {HEAD}"
        return [f"{LOG}: the last {lines} {state}"]
    if head.last != last:
        return [f"{LOG}: the last line is not the one that {HEAD} names"]
    return []


def _count(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"


def _snapshot(
    folder: Path, opened: ExitStack, problems: list[str]
) -> tuple[Head | None, list[_File]]:
    """Open every file and note its size under the lock; appends can then continue."""
    head, files, paths = None, [], []
    with ExitStack() as lock:
        with suppress(AuditError, OSError):  # a read-only copy cannot be locked
            if (folder / LOCK).exists():
                lock.enter_context(locked(folder / LOCK))
        with _reporting(folder, problems), suppress(FileNotFoundError):
            paths = log_paths(folder)
        for path in paths:
            with _reporting(path, problems):
                if not path.is_file():  # opening a pipe would wait for a writer
                    raise OSError(errno.EINVAL, "it is not a file")
                file = opened.enter_context(path.open("rb"))
                files.append(_File(path.name, file, os.fstat(file.fileno()).st_size))
        with _reporting(folder / HEAD, problems):
            head = stored_head(folder)
            if head is None and any(file.size for file in files):
                state = "damaged" if (folder / HEAD).exists() else "missing"
                problems.append(f"{HEAD}: the file is {state}")
    return head, files


def _lines(files: list[_File], problems: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield each line with its place, up to the noted sizes, because the log may grow."""
    for name, file, size in files:
        unread, number = size, 0
        with _reporting(Path(name), problems):
            while unread > 0 and (raw := file.readline(unread)):
                unread -= len(raw)
                number += 1
                yield f"{name}:{number}", raw


@contextmanager
def _reporting(path: Path, problems: list[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problems.append(f"{path.name}: cannot be read: {error.strerror or error}")
