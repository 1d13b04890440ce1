"""The prompt files of a person's own, in the folder of `--prompts`: which there are, within bounds.

A link is followed as far as it stays below the folder: whoever may put a file there decides what a
model reads, and no more than that.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MOST, LARGEST = 100, 65_536  # files, and bytes of one
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # a pipe is opened without waiting for who writes to it


class _UnusableError(ValueError):
    """A file is no prompt's; the message says why."""


def readable(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, text and problem of each `.md` file but the README, in order; one is empty.

    Args:
        folder: where they stand; what is below it is not looked at.
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
    """Tell whether a file says something about the folder, as a README does."""
    return name.lower() == "readme.md"


def _read(folder: Path, name: str) -> str:
    """Return the text of a file.

    Raises:
        _UnusableError: it has none that can be used.
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
    """Return what stands in a file, up to a byte more than it may have."""
    try:
        path = (folder / name).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()):
            raise _UnusableError("it is a link that leads out of the folder")
        with os.fdopen(os.open(path, os.O_RDONLY | _AT_ONCE), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _UnusableError("it is no ordinary file")
            return file.read(LARGEST + 1)
    except OSError as error:
        raise _UnusableError(f"it cannot be read: {error.strerror}") from None
    except RuntimeError:  # what pathlib makes of a loop before Python 3.13
        raise _UnusableError("it cannot be read: it is a link to itself") from None
