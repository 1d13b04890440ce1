"""Reads and replaces the file of a host without ever losing what was in it.

The old content is backed up beside the file before the new content replaces it atomically.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from talonone_mcp.core.safe_files import (
    PRIVATE,
    UnsafeFileError,
    open_regular,
    read_at_most,
    sync_folder,
    write_atomically,
    write_new,
)
from talonone_mcp.terminal.hosts.host_errors import HostError

_MAX_BYTES = 32 * 1024 * 1024  # the largest known, Claude Code's, grows to a few megabytes
_SHARED = 0o644
_MARK = ".talonone-"
_END = ".bak"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was read."""

    path: Path
    """Where the host looks for it."""
    target: Path
    """The file to write: where the path leads, if it is a link."""
    content: bytes | None
    """None if there is no file."""
    mode: int
    """Its permissions, or those of a new file."""


def take_snapshot(path: Path, *, shared: bool = False) -> Snapshot:
    """Read a file.

    Args:
        path: where it is, or would be.
        shared: whether others may read a new one, as they may a project's.

    Raises:
        HostError: it cannot be read, or is none that may be replaced.
    """
    target = _target(path)
    try:
        with open_regular(target, max_bytes=_MAX_BYTES) as file:
            found = os.fstat(file.fileno())
            content = read_at_most(file, _MAX_BYTES)
    except FileNotFoundError:
        return Snapshot(path, target, None, _SHARED if shared else PRIVATE)
    except UnsafeFileError as error:
        raise HostError(f"{path} was left alone: it {error}; --print shows the entry") from None
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from None
    if os.name == "posix" and found.st_uid != os.geteuid():
        raise HostError(f"{path} was left alone: it belongs to another user; run this as that user")
    return Snapshot(path, target, content, stat.S_IMODE(found.st_mode))


def _target(path: Path) -> Path:
    """Return where a path leads: dotfile managers replace files with links."""
    if not path.is_symlink():
        return path
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):
        leads = f"{path} is a link to {path.readlink()}"
        raise HostError(
            f"{leads}, which does not exist; create that file or remove the link"
        ) from None


def decode(snapshot: Snapshot) -> str:
    """Return the text of a file, including any byte order mark; "" if there is no file.

    Raises:
        HostError: it is not UTF-8.
    """
    content = snapshot.content or b""
    try:
        text = content.decode()
        why = "it holds a zero byte" if "\0" in text else ""
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        utf16 = content[:2] in _UTF16_MARKS
        why = "it is UTF-16" if utf16 else f"line {line} holds bytes that are no UTF-8"
    if why:
        raise HostError(f"{snapshot.path} was left alone: {why}; save it as UTF-8, and try again")
    return text


def split_mark(text: str) -> tuple[str, str]:
    """Split off a leading byte order mark; return it, or "", and the rest."""
    return (_UTF8_BOM, text[1:]) if text.startswith(_UTF8_BOM) else ("", text)


def replace(snapshot: Snapshot, content: bytes | None) -> None:
    """Replace what was read with new content, or remove the file (None).

    Raises:
        HostError: the file changed meanwhile or cannot be written. It is left as it was.
    """
    target = snapshot.target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            _check_unchanged(snapshot)
            target.unlink()
            sync_folder(target.parent)
        else:
            check = partial(_check_unchanged, snapshot)
            write_atomically(target, content, mode=snapshot.mode, before_rename=check)
    except PermissionError as error:
        raise HostError(
            f"{snapshot.path} cannot be written: {error.strerror}. It, or its folder, is read-only"
            " or in use; make it writable, or quit the host, and run this again"
        ) from None
    except OSError as error:
        raise HostError(f"{snapshot.path} cannot be written: {error.strerror}") from None


def _check_unchanged(snapshot: Snapshot) -> None:
    """Compare with the file once more: hosts write their files while they run."""
    try:
        now = snapshot.target.read_bytes()
    except FileNotFoundError:
        now = None
    if now != snapshot.content:
        raise HostError(
            f"{snapshot.path} was changed by another program just now, and was left alone;"
            " run this again"
        )


def back_up(snapshot: Snapshot) -> Path | None:
    """Back up what was read beside it, with the same permissions, and return the path.

    Raises:
        HostError: it cannot be written.
    """
    if snapshot.content is None:
        return None
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = f"{snapshot.path.name}{_MARK}{stamp}"
    for number in range(1, 100):
        backup = snapshot.path.with_name(f"{name}-{number:02}{_END}")
        try:
            write_new(backup, snapshot.content, mode=snapshot.mode)
        except FileExistsError:
            continue
        except OSError as error:
            raise HostError(
                f"{backup} cannot be written: {error.strerror}; nothing was changed"
            ) from None
        return backup
    raise HostError(f"there are a hundred backups of this second at {snapshot.path.parent}")


def backups(path: Path) -> list[Path]:
    """Return the backups of a file, newest first."""
    names = (each for each in path.parent.iterdir()) if path.parent.is_dir() else ()
    beginning = f"{path.name}{_MARK}"
    kept = [each for each in names if each.name.startswith(beginning) and each.name.endswith(_END)]
    return sorted(kept, reverse=True)


def remove_empty_folders(path: Path, below: Path) -> None:
    """Remove the folders of a removed file that are empty, up to `below`."""
    for folder in path.parents:
        if folder == below or below not in folder.parents:
            return
        try:
            folder.rmdir()
        except OSError:
            return
