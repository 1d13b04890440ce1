"""Checks an import's CSV, given as text or as a file, and holds it still until it is sent.

A file may be large, and may change while a person decides. So it is copied into the state directory
first; the copy is checked, confirmed and sent. The confirmation is bound to the copy's SHA-256.
"""

from __future__ import annotations

import codecs
import csv
import io
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import anyio
import anyio.to_thread

from talonone_mcp.core.catalog import Columns
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.names import did_you_mean, in_words
from talonone_mcp.core.safe_files import (
    Unsafe,
    UnsafeFileError,
    open_regular,
    private_file,
    private_folder,
)
from talonone_mcp.core.text import one_line

LIMIT = 1_000_000_000  # bytes of a file; its copy needs as much room
_MAX_SHOWN_CHARS = 20_000  # that a person can look at; the digest covers the entire CSV
_CHUNK_BYTES = 1_048_576
_FOLDER = "imports"
_ABANDONED_AFTER_S = 86_400.0  # no running process still uses an older copy
_MAX_NAME_CHARS = 80  # of a column's name in a message
_NOT_A_FILE = "is not a file in the import folder, {folder}"
_REASONS: Mapping[Unsafe, str] = {
    "not regular": _NOT_A_FILE,
    "outside": "must be in the import folder, {folder}",
    "too large": f"has more than {LIMIT:,} bytes; split it",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A summary of a CSV: how it begins, and what identifies it.

    Attributes:
        begins: the first characters.
        size: bytes of UTF-8, without a byte order mark.
        sha256: the digest of those bytes.
    """

    begins: str
    characters: int
    lines: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Import:
    """A CSV that can be sent: a text, or our own copy of a file."""

    content: Content
    source: str | Path


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
    """

    folder: Path | None
    state_dir: Path

    @asynccontextmanager
    async def opened(self, arguments: Mapping[str, Any]) -> AsyncIterator[Import]:
        """Open a call's CSV, text or file; the copy of a file is deleted afterwards.

        Args:
            arguments: an import's arguments, validated: they have `csv` or `csvPath`.

        Raises:
            CallError: `not_configured`, if no file may be read; `invalid_arguments`, if this file
                cannot be; `blocked`, if it cannot be copied.
        """
        if "csvPath" not in arguments:
            text = arguments["csv"].removeprefix("\ufeff")
            reader = _Reader()
            reader.feed(text.encode(), final=True)
            yield Import(reader.content(), text)
            return
        if self.folder is None:
            raise CallError(
                "not_configured",
                "csvPath cannot be used: this server may not read files.",
                hint="Pass the text as csv, or have TALONONE_IMPORT_DIR set to a folder"
                " (stdio only).",
            )
        async with self._copied(self.folder, arguments["csvPath"]) as copy:
            yield copy

    @asynccontextmanager
    async def _copied(self, folder: Path, name: str) -> AsyncIterator[Import]:
        path = self.state_dir / _FOLDER / f"{secrets.token_hex(8)}.csv"
        try:
            content = await anyio.to_thread.run_sync(self._copy, folder, name, path)
            yield Import(content, path)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_remove, path)

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


def csv_problems(columns: Columns, source: str | Path) -> list[Problem]:
    """Return a CSV's problems: missing, unknown or repeated columns, and too many rows.

    A file is read row by row, so it need not fit in memory.
    """
    with _opened(source) as text:
        return _problems(columns, csv.reader(text))


def _opened(source: str | Path) -> TextIO:
    if isinstance(source, str):
        return io.StringIO(source, newline="")
    return source.open(encoding="utf-8", newline="")


def _problems(columns: Columns, reader: Iterator[list[str]]) -> list[Problem]:
    try:
        header = next(reader, [])
        found = [Problem("csv", problem) for problem in _wrong(columns, header)]
        if columns.max_rows is not None and (rows := sum(map(bool, reader))) > columns.max_rows:
            problem = f"has {rows:,} rows; upstream takes at most {columns.max_rows:,}, so split it"
            found.append(Problem("csv", problem))
    except csv.Error as error:
        return [Problem("csv", f"is not CSV: {error}")]
    return found


def _wrong(columns: Columns, header: list[str]) -> Iterator[str]:
    expected = f"the columns are {_named(columns)}"
    unknown = [name for name in header if name not in columns.all]
    for name in dict.fromkeys(unknown):
        end = did_you_mean(name, columns.all)
        yield f"column {one_line(name, _MAX_NAME_CHARS)!r} is unknown{end}" + (
            f" ({expected})" if "did you mean" in end else ""
        )
    for name in columns.required:
        if name not in header:
            yield f"column {name!r} is missing; {expected}"
    if columns.one_of and sum(name in header for name in columns.one_of) != 1:
        yield f"exactly one of the columns {', '.join(columns.one_of)} is required; {expected}"
    for name in columns.all:
        if header.count(name) > 1:
            yield f"column {name!r} appears twice"


def _named(columns: Columns) -> str:
    either = f"either {in_words(columns.one_of, 'or')}" if columns.one_of else ""
    required = ", ".join(filter(None, [either, *columns.required]))
    optional = ", ".join(columns.optional)
    return f"{required} (required) and {optional}" if optional else f"{required} (required)"
