"""Exports in files of the state directory, which several servers may share.

A file gets its final name when it is complete. The JSON document beside it says what it is; without
that document it is no export. What is there is known from the disk alone.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.to_thread

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.csv_rows import LONGEST, RowCounter, TooLongError, columns_of, part_of
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.safe_files import private_file, private_folder
from talonone_mcp.core.text import one_line
from talonone_mcp.store.exports import Export

BEGINNING = 65_536  # bytes of an export that are at hand for its summary
_FOLDER = "exports"
_PAUSE = 0.5  # seconds between two reports of progress
_ABANDONED = 7200.0  # seconds after which a draft belongs to no process that still runs
_COLUMNS, _NAME = 100, 80  # columns that are named, and characters of such a name
_ID = re.compile(r"e[0-9a-f]{16}")


class FileDraft:
    """An export that is coming in: the sink of its body, which tells how far it is."""

    def __init__(self, path: Path, file: BinaryIO, most_bytes: int, progress: Progress) -> None:
        """Take the new file, what it may hold, and who is told."""
        self.path = path
        self._file = file
        self._most_bytes = most_bytes
        self._progress = progress
        self._told = time.monotonic()
        self.restart()

    def restart(self) -> None:
        """Forget what was written: the body begins anew.

        Raises:
            CallError: `blocked`, when the disk does not take even that.
        """
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as error:
            raise _unkept(error) from error
        self._counter = RowCounter()
        self.beginning = b""
        self.size = 0

    @property
    def rows(self) -> int:
        """How many rows have come."""
        return self._counter.rows

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        The system takes them into its memory at once; another thread would cost more than that.

        Raises:
            CallError: `blocked`, when the disk does not take them, or they are more than is kept.
        """
        self.size += len(chunk)
        if self.size > self._most_bytes:
            raise CallError(
                "blocked",
                f"The export was given up: it has more than the {self._most_bytes:,} bytes that"
                " are kept.",
                hint="Narrower filters make it smaller, TALONONE_EXPORT_MEGABYTES allows more.",
            )
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _unkept(error) from error
        self._counter.feed(chunk)
        if len(self.beginning) < BEGINNING:
            self.beginning += chunk[: BEGINNING - len(self.beginning)]
        await self._tell()

    async def close(self) -> None:
        """Bring to the file what is still in memory.

        Raises:
            CallError: as `write` does.
        """
        try:
            await anyio.to_thread.run_sync(self._file.close)
        except OSError as error:
            raise _unkept(error) from error
        await self._progress(self.size, self.size, self._said)

    @property
    def _said(self) -> str:
        return f"{self.size:,} bytes, {self.rows:,} rows"

    async def _tell(self) -> None:
        if time.monotonic() - self._told >= _PAUSE:
            self._told = time.monotonic()
            await self._progress(self.size, None, self._said)


class FileExports:
    """The `Exports` of one state directory."""

    def __init__(
        self,
        state_dir: Path,
        *,
        seconds: float,
        most_bytes: int,
        max_exports: int = 1000,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Take what is needed; no folder is made before there is an export.

        Args:
            state_dir: the state directory.
            seconds: how long an export is kept.
            most_bytes: how many all of them together may have; the oldest go first.
            max_exports: how many are kept; each takes two files.
            clock: tells how old an export is.
        """
        self._state_dir = state_dir
        self._folder = state_dir / _FOLDER
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._max_exports = max_exports
        self._clock = clock

    @asynccontextmanager
    async def receiving(self, progress: Progress = silent) -> AsyncIterator[FileDraft]:
        """Open a draft. Unless it is kept, nothing of it is left in the end.

        Raises:
            CallError: `blocked`, when there can be no file.
        """
        path, file = await anyio.to_thread.run_sync(self._new)
        try:
            yield FileDraft(path, file, self._most_bytes, progress)
        finally:
            with anyio.CancelScope(shield=True):  # in a thread, because freeing much takes long
                await anyio.to_thread.run_sync(_discard, path, file)

    async def keep(self, draft: FileDraft, operation: str, principal: str) -> Export:
        """Complete a draft, and drop older exports that are too old or too much.

        Raises:
            CallError: `blocked`, when the disk does not take it.
        """
        await draft.close()
        columns = (one_line(name, _NAME) for name in columns_of(draft.beginning)[:_COLUMNS])
        export = Export(
            draft.path.stem,
            principal,
            operation,
            tuple(columns),
            draft.rows,
            draft.size,
            self._clock.now(),
        )
        await anyio.to_thread.run_sync(self._complete, draft.path, export)
        return export

    def kept(self, principal: str) -> list[Export]:
        """Return the exports of a principal, the newest first."""
        return [export for export in self._all() if export.principal == principal]

    def find(self, name: str, principal: str) -> Export | None:
        """Return one export; None when there is none, any more, or it is somebody else's."""
        export = self._described(name) if _ID.fullmatch(name) else None
        return export if export and export.principal == principal else None

    def location(self, export: Export) -> str:
        """See `Exports.location`."""
        return str(self._path(export))

    def text(self, export: Export) -> str:
        """Return the whole export.

        Raises:
            TooLongError: it is longer than what can be read at once.
            OSError: it cannot be read, or is gone by now.
        """
        if export.size > LONGEST:
            raise TooLongError
        return self._path(export).read_bytes().decode("utf-8", "replace")

    def part(self, export: Export, first: int, count: int) -> str:
        """Return the header and `count` rows from number `first` on; the numbers begin with 1.

        Raises:
            TooLongError: they are longer than what can be read at once.
            OSError: the export cannot be read, or is gone by now.
        """
        with self._path(export).open("rb") as file:
            return part_of(file, first, count).decode("utf-8", "replace")

    def _path(self, export: Export) -> Path:
        return self._folder / f"{export.id}.csv"

    def _new(self) -> tuple[Path, BinaryIO]:
        try:
            self._prune()
            # A letter in front: what consists of digits alone may look like a phone number.
            path = private_folder(self._state_dir, _FOLDER) / f"e{secrets.token_hex(8)}.part"
            return path, private_file(path)
        except OSError as error:
            raise _unkept(error) from error

    def _complete(self, draft: Path, export: Export) -> None:
        about = self._folder / f"{export.id}.json"
        try:
            with private_file(about) as file:
                file.write(json.dumps(asdict(export)).encode())
            draft.rename(self._path(export))
        except OSError as error:
            about.unlink(missing_ok=True)
            raise _unkept(error) from error
        self._prune(export)

    def _prune(self, new: Export | None = None) -> None:
        """Delete what is too old, or beyond the number and size that are kept; never `new`."""
        size = new.size if new else 0
        old = (export for export in self._all() if export != new)
        for number, export in enumerate(old, start=1):
            size += export.size
            if size > self._most_bytes or number >= self._max_exports:
                self._remove(export.id)
        for path in self._left_over():
            with suppress(OSError):
                path.unlink()

    def _left_over(self) -> Iterator[Path]:
        """Yield the files of exports that are too old, and of processes that died."""
        for path in self._folder.glob("e*"):
            patience = _ABANDONED if path.suffix == ".part" else min(self._seconds, _ABANDONED)
            with suppress(OSError):  # another process was faster
                age = self._clock.now() - path.stat().st_mtime
                if age > patience and not self._described(path.stem):
                    yield path

    def _remove(self, name: str) -> None:
        for suffix in (".json", ".csv"):
            with suppress(OSError):
                (self._folder / f"{name}{suffix}").unlink()

    def _all(self) -> list[Export]:
        found = (self._described(path.stem) for path in self._folder.glob("e*.json"))
        return sorted(filter(None, found), key=lambda each: each.created, reverse=True)

    def _described(self, name: str) -> Export | None:
        """Return what is said of an export that is there and not too old."""
        try:
            about = json.loads((self._folder / f"{name}.json").read_bytes())
            export = Export(**about | {"columns": tuple(about["columns"])})
            young = self._clock.now() - export.created <= self._seconds
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return export if young and self._path(export).is_file() else None


def _discard(path: Path, file: BinaryIO) -> None:
    with suppress(OSError):  # of a full disk, which gets its last bytes now
        file.close()
    with suppress(OSError):  # what is left is swept later; an export that is kept has another name
        path.unlink()


def _unkept(error: OSError) -> CallError:
    return CallError(
        "blocked",
        f"The export could not be kept in the state directory: {error.strerror or error}.",
        hint="Whoever runs the server must make room there, or set TALONONE_STATE_DIR.",
    )
