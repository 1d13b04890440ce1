"""Reads a user's own prompt files from the folder of `--prompts`.

Links are followed only within the folder: write access there decides what a model reads, and
nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from talonone_mcp.core.safe_files import Unsafe, UnsafeFileError, read_regular

MOST, LARGEST = 100, 65_536  # files, and bytes of one
_REASONS: Mapping[Unsafe, str] = {
    "not regular": "is not a regular file",
    "outside": "is a link that leads out of the folder",
    "too large": f"has more than {LARGEST:,} bytes",
}


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
    try:
        content = read_regular(name, within=folder, max_bytes=LARGEST)
    except UnsafeFileError as error:
        raise _UnusableError(f"it {_REASONS.get(error.kind, error.reason)}") from None
    except OSError as error:
        raise _UnusableError(f"it cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _UnusableError(f"line {line}: it is not UTF-8 text") from None
    if not text.strip():
        raise _UnusableError("it is empty")
    return text
