"""Exports as files in the state directory, which several servers can share.

A file gets its final name when it is complete. The JSON document beside it describes it; a file
without one is not an export. The disk is the only record of which exports exist.
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
from talonone_mcp.core.csv_rows import MAX_READ_BYTES, RowCounter, TooLongError, columns_of, part_of
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.safe_files import private_file, private_folder
from talonone_mcp.core.text import one_line
from talonone_mcp.store.exports import Export

MAX_BEGINNING_BYTES = 65_536  # of an export, in memory for its summary
_FOLDER = "exports"
_PROGRESS_INTERVAL_S = 0.5
_ABANDONED_AFTER_S = 7200.0  # the process that wrote such an old draft is gone
_MAX_COLUMNS = 100  # named in a summary
_MAX_COLUMN_CHARS = 80
_ID = re.compile(r"e[0-9a-f]{16}")


class FileDraft:
    """An incoming export: the sink for its body, which reports progress."""

    def __init__(self, path: Path, file: BinaryIO, max_bytes: int, progress: Progress) -> None:
        """Wrap a new file.

        Args:
            path: the file's path.
            file: the file, open for writing.
            max_bytes: the size limit.
            progress: receives progress reports.
        """
        self.path = path
        self._file = file
        self._max_bytes = max_bytes
        self._progress = progress
        self._reported_at = time.monotonic()
        self.restart()

    def restart(self) -> None:
        """Discard what was written: the body starts over.

        Raises:
            CallError: `blocked`, if the disk refuses.
        """
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError as error:
            raise _storage_error(error) from error
        self._counter = RowCounter()
        self.beginning = b""
        self.size = 0

    @property
    def rows(self) -> int:
        """How many rows have arrived."""
        return self._counter.rows

    async def write(self, chunk: bytes) -> None:
        """Append the next bytes of the body.

        The operating system buffers writes, so handing them to a thread would cost more.

        Raises:
            CallError: `blocked`, if the disk refuses them or they exceed the size limit.
        """
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise CallError(
                "blocked",
                f"The export was stopped: it exceeds the limit of {self._max_bytes:,} bytes.",
                hint="Use narrower filters, or ask whoever runs the server to raise"
                " TALONONE_EXPORT_MEGABYTES.",
            )
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _storage_error(error) from error
        self._counter.feed(chunk)
        if len(self.beginning) < MAX_BEGINNING_BYTES:
            self.beginning += chunk[: MAX_BEGINNING_BYTES - len(self.beginning)]
        await self._report()

    async def close(self) -> None:
        """Flush and close the file.

        Raises:
            CallError: `blocked`, if the disk refuses.
        """
        try:
            await anyio.to_thread.run_sync(self._file.close)
        except OSError as error:
            raise _storage_error(error) from error
        await self._progress(self.size, self.size, self._progress_text)

    @property
    def _progress_text(self) -> str:
        return f"{self.size:,} bytes, {self.rows:,} rows"

    async def _report(self) -> None:
        if time.monotonic() - self._reported_at >= _PROGRESS_INTERVAL_S:
            self._reported_at = time.monotonic()
            await self._progress(self.size, None, self._progress_text)


class FileExports:
    """The exports in one state directory."""

    def __init__(
        self,
        state_dir: Path,
        *,
        seconds: float,
        max_bytes: int,
        max_exports: int = 1000,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Configure the store; the first export creates its folder.

        Args:
            state_dir: the state directory.
            seconds: how long an export is kept.
            max_bytes: the size limit of all exports together; the oldest are deleted first.
            max_exports: how many to keep; each takes two files.
            clock: determines the age of an export.
        """
        self._state_dir = state_dir
        self._folder = state_dir / _FOLDER
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._max_exports = max_exports
        self._clock = clock

    @asynccontextmanager
    async def receiving(self, progress: Progress = silent) -> AsyncIterator[FileDraft]:
        """Open a draft. On exit, it is deleted unless `keep` has completed it.

        Raises:
            CallError: `blocked`, if its file cannot be created.
        """
        path, file = await anyio.to_thread.run_sync(self._new)
        try:
            yield FileDraft(path, file, self._max_bytes, progress)
        finally:
            with anyio.CancelScope(shield=True):  # in a thread: deleting a large file is slow
                await anyio.to_thread.run_sync(_discard, path, file)

    async def keep(self, draft: FileDraft, operation: str, principal: str) -> Export:
        """Complete a draft; drop exports beyond the limits of age, number and size.

        Raises:
            CallError: `blocked`, if the disk refuses it.
        """
        await draft.close()
        names = columns_of(draft.beginning)[:_MAX_COLUMNS]
        export = Export(
            draft.path.stem,
            principal,
            operation,
            tuple(one_line(name, _MAX_COLUMN_CHARS) for name in names),
            draft.rows,
            draft.size,
            self._clock.now(),
        )
        await anyio.to_thread.run_sync(self._complete, draft.path, export)
        return export

    def kept(self, principal: str) -> list[Export]:
        """Return the exports of a principal, newest first."""
        return [export for export in self._all() if export.principal == principal]

    def find(self, name: str, principal: str) -> Export | None:
        """Return one export; None if it does not exist, is gone or belongs to another principal."""
        export = self._read(name) if _ID.fullmatch(name) else None
        return export if export and export.principal == principal else None

    def location(self, export: Export) -> str:
        """See `Exports.location`."""
        return str(self._path(export))

    def text(self, export: Export) -> str:
        """Return the complete export.

        Raises:
            TooLongError: it exceeds `MAX_READ_BYTES`.
            OSError: it cannot be read, or is gone.
        """
        if export.size > MAX_READ_BYTES:
            raise TooLongError
        return self._path(export).read_bytes().decode("utf-8", "replace")

    def part(self, export: Export, first: int, count: int) -> str:
        """Return the header and up to `count` rows, starting at row `first` (the first row is 1).

        Raises:
            TooLongError: they exceed `MAX_READ_BYTES`.
            OSError: the export cannot be read, or is gone.
        """
        with self._path(export).open("rb") as file:
            return part_of(file, first, count).decode("utf-8", "replace")

    def _path(self, export: Export) -> Path:
        return self._folder / f"{export.id}.csv"

    def _new(self) -> tuple[Path, BinaryIO]:
        try:
            self._prune()
            # The leading letter keeps masking from taking an id of digits for a phone number.
            path = private_folder(self._state_dir, _FOLDER) / f"e{secrets.token_hex(8)}.part"
            return path, private_file(path)
        except OSError as error:
            raise _storage_error(error) from error

    def _complete(self, draft: Path, export: Export) -> None:
        document = self._folder / f"{export.id}.json"
        try:
            with private_file(document) as file:
                file.write(json.dumps(asdict(export)).encode())
            draft.rename(self._path(export))
        except OSError as error:
            document.unlink(missing_ok=True)
            raise _storage_error(error) from error
        self._prune(export)

    def _prune(self, new: Export | None = None) -> None:
        """Delete exports beyond the limits of age, number and size, but never `new`."""
        size = new.size if new else 0
        others = (export for export in self._all() if export != new)
        for number, export in enumerate(others, start=1):
            size += export.size
            if size > self._max_bytes or number >= self._max_exports:
                self._remove(export.id)
        for path in self._stale_files():
            with suppress(OSError):
                path.unlink()

    def _stale_files(self) -> Iterator[Path]:
        """Yield the files of expired exports, and of drafts whose process died."""
        for path in self._folder.glob("e*"):
            seconds = _ABANDONED_AFTER_S
            if path.suffix != ".part":
                seconds = min(seconds, self._seconds)
            with suppress(OSError):  # another process deleted it first
                age = self._clock.now() - path.stat().st_mtime
                if age > seconds and not self._read(path.stem):
                    yield path

    def _remove(self, name: str) -> None:
        for suffix in (".json", ".csv"):
            with suppress(OSError):
                (self._folder / f"{name}{suffix}").unlink()

    def _all(self) -> list[Export]:
        exports = (self._read(path.stem) for path in self._folder.glob("e*.json"))
        return sorted(filter(None, exports), key=lambda each: each.created, reverse=True)

    def _read(self, name: str) -> Export | None:
        """Read an export's document; None if there is none, its file is missing or it expired."""
        try:
            document = json.loads((self._folder / f"{name}.json").read_bytes())
            export = Export(**document | {"columns": tuple(document["columns"])})
            fresh = self._clock.now() - export.created <= self._seconds
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return export if fresh and self._path(export).is_file() else None


def _discard(path: Path, file: BinaryIO) -> None:
    with suppress(OSError):  # closing flushes, which fails on a full disk
        file.close()
    with suppress(OSError):  # pruning retries later; a kept export has another name
        path.unlink()


def _storage_error(error: OSError) -> CallError:
    return CallError(
        "blocked",
        f"The export could not be stored in the state directory: {error.strerror or error}.",
        hint="Whoever runs the server must free space there or change TALONONE_STATE_DIR.",
    )
