"""The CSV of an import, a text or a file: what of it is checked, shown, confirmed and sent.

A file may have any number of rows, and may change while a person thinks. It is copied into the
state directory when the call comes, and what is checked, confirmed and sent is the copy. What a
person confirms is bound to its SHA-256.
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

LIMIT = 1_000_000_000  # bytes of a file; there must be room for a copy of it
_BEGINNING = 20_000  # characters that a person can look at; all of them are in the digest
_PIECE = 1_048_576  # bytes that are copied at once
_FOLDER = "imports"
_ABANDONED = 86_400.0  # seconds after which a copy belongs to no process that still runs
_WHY: Mapping[Unsafe, str] = {
    "not regular": "is no file below the import folder, {folder}",
    "outside": "must lie below the import folder, {folder}",
    "too large": f"has more than {LIMIT:,} bytes; split it",
}
_NAME = 80  # characters of a column's name that a message repeats


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of a CSV without having all of it: how it begins, and what stands for it.

    `size` is in bytes of UTF-8, without a byte order mark; `sha256` is of these bytes.
    """

    begins: str
    characters: int
    lines: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Import:
    """A CSV that can be sent: a text, or a copy of a file that is ours alone."""

    content: Content
    source: str | Path


class _Reader:
    """Takes a CSV in pieces of UTF-8 and tells its content.

    Lines end as upstream may see it: with a line feed, a carriage return, or both.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._digest = sha256()
        self._begins = ""
        self._characters = self._size = self._ends = 0
        self._last = ""

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        """Take the next piece.

        Raises:
            UnicodeDecodeError: it is no UTF-8.
        """
        self._digest.update(piece)
        self._size += len(piece)
        text = self._decoder.decode(piece, final)
        if not text:
            return
        self._ends += text.count("\n") + text.count("\r") - text.count("\r\n")
        self._ends -= self._last == "\r" and text[0] == "\n"
        self._last = text[-1]
        self._characters += len(text)
        self._begins += text[: _BEGINNING - len(self._begins)]

    def content(self) -> Content:
        """Return what is known of all that was taken."""
        lines = self._ends + (self._last not in ("", "\n", "\r"))
        digest = self._digest.hexdigest()
        return Content(self._begins, self._characters, lines, self._size, digest)


@dataclass(frozen=True, slots=True)
class ImportFiles:
    """Where an import may read files, and where they are copied to.

    `folder` is None when no file may be read. `state_dir` is the state directory.
    """

    folder: Path | None
    state_dir: Path

    @asynccontextmanager
    async def opened(self, arguments: Mapping[str, Any]) -> AsyncIterator[Import]:
        """Open the CSV of a call, whichever way it gives it; a copy of a file is deleted after.

        Args:
            arguments: of an import, validated: they have `csv` or `csvPath`.

        Raises:
            CallError: `not_configured`, when no file may be read; `invalid_arguments`, when this
                one cannot be; `blocked`, when it cannot be copied.
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
                "csvPath cannot be used: this server may read no files.",
                hint="Give the text as csv, or have TALONONE_IMPORT_DIR set to a folder"
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
                raise _unusable("is no UTF-8 text") from None
            except OSError as error:
                raise CallError(
                    "blocked",
                    f"Nothing was sent: the file could not be copied into the state directory:"
                    f" {error.strerror or error}.",
                    hint="Whoever runs the server must make room there, or set TALONONE_STATE_DIR.",
                ) from error


def _original(folder: Path, name: str) -> BinaryIO:
    """Open a file to be imported.

    Raises:
        CallError: it lies elsewhere, is no file, too large, or cannot be read.
    """
    try:
        return open_regular(name, within=folder, max_bytes=LIMIT)
    except IsADirectoryError:
        raise _unusable(f"is no file below the import folder, {folder}") from None
    except UnsafeFileError as error:
        raise _unusable(_WHY.get(error.kind, error.reason).format(folder=folder)) from None
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = f"is no file below the import folder, {folder}" if missing else None
        raise _unusable(why or f"cannot be read: {error.strerror}") from None


def _copied_content(original: BinaryIO, copy: BinaryIO) -> Content:
    """Copy what the file holds, without a byte order mark, and return what is known of it."""
    reader = _Reader()
    piece = original.read(_PIECE).removeprefix(codecs.BOM_UTF8)
    left = LIMIT
    while piece:
        left -= len(piece)
        if left < 0:
            raise _unusable(f"has more than {LIMIT:,} bytes; split it")
        reader.feed(piece)
        copy.write(piece)
        piece = original.read(_PIECE)
    reader.feed(b"", final=True)
    return reader.content()


def _sweep(folder: Path) -> None:
    """Delete the copies of processes that died."""
    for path in folder.glob("*.csv"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()


def _remove(path: Path) -> None:
    with suppress(OSError):  # what is left is swept later
        path.unlink()


def _unusable(why: str) -> CallError:
    return CallError(
        "invalid_arguments",
        f"The file was not imported: csvPath {why}.",
        details=[{"at": "csvPath", "problem": why}],
        hint="Correct it and call again.",
    )


def csv_problems(columns: Columns, source: str | Path) -> list[Problem]:
    """Return what is wrong with a CSV: missing or unknown columns, and too many rows.

    A file is read row by row, and not held in memory.
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
            problem = f"has {rows:,} rows; upstream takes {columns.max_rows:,} at most, so split it"
            found.append(Problem("csv", problem))
    except csv.Error as error:
        return [Problem("csv", f"is no CSV: {error}")]
    return found


def _wrong(columns: Columns, header: list[str]) -> Iterator[str]:
    rightly = f"the columns are {_named(columns)}"
    unknown = [name for name in header if name not in columns.all]
    for name in dict.fromkeys(unknown):
        end = did_you_mean(name, columns.all)
        yield f"column {one_line(name, _NAME)!r} is unknown{end}" + (
            f" ({rightly})" if "did you mean" in end else ""
        )
    for name in columns.required:
        if name not in header:
            yield f"column {name!r} is missing; {rightly}"
    if columns.one_of and sum(name in header for name in columns.one_of) != 1:
        yield f"exactly one of the columns {', '.join(columns.one_of)} must be there; {rightly}"
    for name in columns.all:
        if header.count(name) > 1:
            yield f"column {name!r} stands twice"


def _named(columns: Columns) -> str:
    either = f"either {in_words(columns.one_of, 'or')}" if columns.one_of else ""
    required = ", ".join(filter(None, [either, *columns.required]))
    optional = ", ".join(columns.optional)
    return f"{required} (required) and {optional}" if optional else f"{required} (required)"
