"""Holds an import's CSV, given as text or as a file, still until it is sent.

A file may be large, and may change while a person decides. So it is copied into the state directory
first; the copy is read, confirmed and sent. The confirmation is bound to the copy's SHA-256.
"""

from __future__ import annotations

import codecs
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import anyio
import anyio.from_thread
import anyio.to_thread

from talonone_mcp.calls.imports.import_rows import read_rows
from talonone_mcp.calls.imports.row_summary import Rows
from talonone_mcp.core.catalog import Columns
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.safe_files import (
    Unsafe,
    UnsafeFileError,
    open_regular,
    private_file,
    private_folder,
)

LIMIT = 1_000_000_000  # bytes of a file; its copy needs as much room
_MAX_SHOWN_CHARS = 20_000  # that a person can look at; the digest covers the entire CSV
_CHUNK_BYTES = 1_048_576
_FOLDER = "imports"
_ABANDONED_AFTER_S = 86_400.0  # no running process still uses an older copy
_NOT_A_FILE = "is not a file in the import folder, {folder}"
_REASONS: Mapping[Unsafe, str] = {
    "not regular": _NOT_A_FILE,
    "outside": "must be in the import folder, {folder}",
    "too large": f"has more than {LIMIT:,} bytes; split it",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A summary of a CSV: how it begins, what identifies it, and what its rows say.

    Attributes:
        begins: the first characters.
        size: bytes of UTF-8, without a byte order mark.
        sha256: the digest of those bytes.
        rows: what the rows say.
    """

    begins: str
    characters: int
    lines: int
    size: int
    sha256: str
    rows: Rows = field(default_factory=Rows)


@dataclass(frozen=True, slots=True)
class Import:
    """A CSV that can be sent: a text, or our own copy of a file.

    Attributes:
        content: its summary.
        source: the text, or the path of the copy.
        problems: what upstream would refuse.
    """

    content: Content
    source: str | Path
    problems: tuple[Problem, ...] = ()


class _Reader:
    """Summarizes a CSV that arrives in chunks of UTF-8.

    A line may end with a line feed, a carriage return, or both, since upstream may accept any.
    """

    def __init__(self) -> None:
        """Start with an empty CSV."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._digest = sha256()
        self._begins = ""
        self._characters = self._size = self._ends = 0
        self._last = ""

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Take the next chunk.

        Raises:
            UnicodeDecodeError: the CSV is not UTF-8.
        """
        self._digest.update(chunk)
        self._size += len(chunk)
        text = self._decoder.decode(chunk, final)
        if not text:
            return
        self._ends += text.count("\n") + text.count("\r") - text.count("\r\n")
        self._ends -= self._last == "\r" and text[0] == "\n"
        self._last = text[-1]
        self._characters += len(text)
        self._begins += text[: _MAX_SHOWN_CHARS - len(self._begins)]

    def content(self) -> Content:
        """Return the summary of everything taken."""
        lines = self._ends + (self._last not in ("", "\n", "\r"))
        digest = self._digest.hexdigest()
        return Content(self._begins, self._characters, lines, self._size, digest)


@dataclass(frozen=True, slots=True)
class ImportFiles:
    """Where imports may read files, and where to copy them.

    Attributes:
        folder: the folder to read from; None if no file may be read.
        state_dir: the state directory, which gets the copies.
        clock: tells which dates in a CSV are past.
    """

    folder: Path | None
    state_dir: Path
    clock: Clock = SYSTEM_CLOCK

    @asynccontextmanager
    async def opened(self, arguments: Mapping[str, Any], columns: Columns) -> AsyncIterator[Import]:
        """Open and read a call's CSV, text or file; the copy of a file is deleted afterwards.

        Args:
            arguments: an import's arguments, validated: they have `csv` or `csvPath`.
            columns: what the CSV's columns must be.

        Raises:
            CallError: `not_configured`, if no file may be read; `invalid_arguments`, if this file
                cannot be; `blocked`, if it cannot be copied.
        """
        if "csvPath" not in arguments:
            text = arguments["csv"].removeprefix("\ufeff")
            reader = _Reader()
            reader.feed(text.encode(), final=True)
            yield await self._read(reader.content(), text, arguments, columns)
            return
        if self.folder is None:
            raise CallError(
                "not_configured",
                "csvPath cannot be used: this server may not read files.",
                hint="Pass the text as csv, or have TALONONE_IMPORT_DIR set to a folder"
                " (stdio only).",
            )
        path = self.state_dir / _FOLDER / f"{secrets.token_hex(8)}.csv"
        try:
            name = arguments["csvPath"]
            content = await anyio.to_thread.run_sync(self._copy, self.folder, name, path)
            yield await self._read(content, path, arguments, columns)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_remove, path)

    async def _read(
        self, content: Content, source: str | Path, arguments: Mapping[str, Any], columns: Columns
    ) -> Import:
        """Read the rows in a thread, which stops when the call is cancelled."""
        read = partial(
            read_rows,
            columns,
            source,
            datetime.fromtimestamp(self.clock.now(), UTC),
            skips_repeated=bool(arguments.get(columns.unique_unless)),
            tick=anyio.from_thread.check_cancelled,
        )
        rows, problems = await anyio.to_thread.run_sync(read)
        return Import(replace(content, rows=rows), source, tuple(problems))

    def _copy(self, folder: Path, name: str, path: Path) -> Content:
        with _original(folder, name) as original:
            try:
                _sweep(private_folder(self.state_dir, _FOLDER))
                with private_file(path) as copy:
                    return _copied_content(original, copy)
            except UnicodeDecodeError:
                raise _unusable("is not UTF-8 text") from None
            except OSError as error:
                raise CallError(
                    "blocked",
                    f"Nothing was sent: the file could not be copied into the state directory:"
                    f" {error.strerror or error}.",
                    hint="Whoever runs the server must make room there, or set TALONONE_STATE_DIR.",
                ) from error


def _original(folder: Path, name: str) -> BinaryIO:
    """Open the file to import.

    Raises:
        CallError: it is outside the folder, not a file, too large or unreadable.
    """
    try:
        return open_regular(name, within=folder, max_bytes=LIMIT)
    except (IsADirectoryError, FileNotFoundError):
        raise _unusable(_NOT_A_FILE.format(folder=folder)) from None
    except UnsafeFileError as error:
        raise _unusable(_REASONS.get(error.kind, error.reason).format(folder=folder)) from None
    except OSError as error:
        raise _unusable(f"cannot be read: {error.strerror}") from None


def _copied_content(original: BinaryIO, copy: BinaryIO) -> Content:
    """Copy the file, without a byte order mark, and return its summary."""
    reader = _Reader()
    chunk = original.read(_CHUNK_BYTES).removeprefix(codecs.BOM_UTF8)
    left = LIMIT
    while chunk:
        left -= len(chunk)
        if left < 0:
            raise _unusable(f"has more than {LIMIT:,} bytes; split it")
        reader.feed(chunk)
        copy.write(chunk)
        chunk = original.read(_CHUNK_BYTES)
    reader.feed(b"", final=True)
    return reader.content()


def _sweep(folder: Path) -> None:
    """Delete copies left by processes that died."""
    for path in folder.glob("*.csv"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
                path.unlink()


def _remove(path: Path) -> None:
    with suppress(OSError):  # a later call sweeps what is left
        path.unlink()


def _unusable(why: str) -> CallError:
    return CallError(
        "invalid_arguments",
        f"The file was not imported: csvPath {why}.",
        details=[{"at": "csvPath", "problem": why}],
        hint="Correct it and call again.",
    )
