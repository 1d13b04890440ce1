"""Reads a user's own prompt files from the folder of `--prompts`.

Links are followed only within the folder: write access there decides what a model reads, and
nothing more.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MOST, LARGEST = 100, 65_536  # files, and bytes of one
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a pipe must not wait for a writer


class _UnusableError(ValueError):
    """A file cannot be a prompt; the message says why."""


def readable(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (name, text, problem) of each `.md` file except the README, sorted by name.

    Either text or problem is empty.

    Args:
        folder: where to look; subfolders are ignored.
    """
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        yield str(folder), "", f"it cannot be read: {error.strerror}"
        return
    ours = [name for name in names if name.endswith(".md") and name[0] != "." and not _about(name)]
    for name in islice(ours, MOST):
        try:
            yield name, _read(folder, name), ""
        except _UnusableError as error:
            yield name, "", str(error)
    if len(ours) > MOST:
        yield str(folder), "", f"it has {len(ours)} files; the first {MOST} are read"


def _about(name: str) -> bool:
    """Tell whether a file describes the folder rather than a prompt."""
    return name.lower() == "readme.md"


def _read(folder: Path, name: str) -> str:
    """Return a file's text.

    Raises:
        _UnusableError: the file cannot be a prompt.
    """
    content = _content(folder, name)
    if len(content) > LARGEST:
        raise _UnusableError(f"it has more than {LARGEST:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _UnusableError(f"line {line}: it is not UTF-8 text") from None
    if not text.strip():
        raise _UnusableError("it is empty")
    return text


def _content(folder: Path, name: str) -> bytes:
    """Return a file's content, up to one byte more than allowed."""
    try:
        path = (folder / name).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()):
            raise _UnusableError("it is a link that leads out of the folder")
        with os.fdopen(os.open(path, os.O_RDONLY | _NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _UnusableError("it is not a regular file")
            return file.read(LARGEST + 1)
    except OSError as error:
        raise _UnusableError(f"it cannot be read: {error.strerror}") from None
    except RuntimeError:  # how pathlib reports a loop before Python 3.13
        raise _UnusableError("it cannot be read: it is a link to itself") from None
