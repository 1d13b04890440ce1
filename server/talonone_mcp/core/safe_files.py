"""Open files that somebody named, and write files that nobody sees half-written.

Every file whose path comes from outside is opened by `open_regular`: no pipe blocks it, and no
link leads it out of the folder that it may read. Every file that replaces another is written by
`write_atomically`: a reader, or a power failure, finds the old content or the new one.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

PRIVATE = 0o600  # permissions: the owner alone

Unsafe = Literal["not regular", "link", "outside", "too large", "exposed"]

# Absent on Windows, where no name in a folder is a pipe or a terminal.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", os.O_RDONLY)


class UnsafeFileError(OSError):
    """A file was not opened, though the system would have done it.

    The message is a predicate, to follow a name or "it": "is no ordinary file". `kind` lets a
    caller add what to do about it. As with any `OSError`, `strerror` holds the message.
    """

    def __init__(self, kind: Unsafe, reason: str) -> None:
        """Take the kind and the predicate."""
        super().__init__(errno.EPERM, reason)
        self.kind = kind
        self.reason = reason

    def __str__(self) -> str:
        """Return the predicate, without a number."""
        return self.reason


# --- Reading -------------------------------------------------------------------------------------


def open_regular(
    path: str | Path,
    *,
    within: Path | None = None,
    max_bytes: int | None = None,
    private: bool = False,
    links: bool = True,
) -> BinaryIO:
    """Open a regular file to be read; nothing else is waited for, or read from.

    Args:
        path: relative to `within`, if that is given.
        within: the folder that the file must lie in once all links are followed. Below it, the
            file is then opened without following any link, so that none can be put there between
            the check and the opening.
        max_bytes: the most that the file may hold when it is opened. It may grow afterwards;
            `read_regular` notices.
        private: whether only its owner may be able to read it.
        links: whether the path itself may be a link.

    Raises:
        UnsafeFileError: the file is none that may be read.
        OSError: it is not there, is a folder, or cannot be opened.
    """
    try:
        descriptor = _descriptor(path, within, links=links)
    except RuntimeError:  # a loop of links, before Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    except ValueError:  # a NUL, or a lone surrogate
        raise OSError(errno.EINVAL, "no file can have such a name") from None
    try:
        _check(descriptor, max_bytes, private=private)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(
    path: str | Path,
    *,
    max_bytes: int,
    within: Path | None = None,
    private: bool = False,
    links: bool = True,
) -> bytes:
    """Return what a regular file holds.

    Args:
        path: as for `open_regular`, as is the rest.
        max_bytes: the most that is read.
        within: see there.
        private: see there.
        links: see there.

    Raises:
        UnsafeFileError, OSError: as `open_regular`.
    """
    with open_regular(
        path, within=within, max_bytes=max_bytes, private=private, links=links
    ) as file:
        return read_at_most(file, max_bytes)


def read_at_most(file: BinaryIO, max_bytes: int) -> bytes:
    """Return the rest of an open file.

    Raises:
        UnsafeFileError: there is more than `max_bytes` of it.
    """
    content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    return content


def not_private(file: Path | int) -> str:
    """Return why a file is no place for a secret; "" when it is one, or is not there yet.

    Args:
        file: its path, of which a symbolic link is refused, or the descriptor of the open file.
    """
    try:
        found = os.fstat(file) if isinstance(file, int) else file.lstat()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return "is no ordinary file"
    return _exposed(found)


def _descriptor(path: str | Path, within: Path | None, *, links: bool) -> int:
    flags = os.O_RDONLY | _NO_WAIT | _BINARY
    if within is None:
        return _opened(path, flags if links else flags | _NO_LINK)
    root = within.resolve(strict=True)
    target = Path(root, path).resolve()
    if not target.is_relative_to(root):
        raise UnsafeFileError("outside", f"leads out of the folder {root}")
    if not links and Path(root, path).is_symlink():
        raise _is_link()
    return _opened_below(root, target.relative_to(root).parts, flags | _NO_LINK)


def _opened_below(root: Path, parts: tuple[str, ...], flags: int) -> int:
    """Open a file step by step from its root, so that no step can have become a link."""
    if os.open not in os.supports_dir_fd:  # Windows, where a link needs an administrator
        return _opened(root.joinpath(*parts), flags)
    folder = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            below = _opened(part, _FOLDER | _NO_LINK, folder)
            os.close(folder)
            folder = below
        return _opened(parts[-1] if parts else ".", flags, folder)
    finally:
        os.close(folder)


def _opened(path: str | Path, flags: int, folder: int | None = None) -> int:
    try:
        return os.open(path, flags) if folder is None else os.open(path, flags, dir_fd=folder)
    except OSError as error:
        # What the systems say of O_NOFOLLOW at a link; EMLINK and EFTYPE are of the BSDs.
        refused = (errno.ELOOP, errno.EMLINK, getattr(errno, "EFTYPE", errno.ELOOP))
        if flags & _NO_LINK and error.errno in refused:
            raise _is_link() from None
        if error.errno == errno.ENXIO:  # a socket
            raise _not_regular() from None
        raise


def _check(descriptor: int, max_bytes: int | None, *, private: bool) -> None:
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise _not_regular()
    if private and (why := _exposed(found)):
        raise UnsafeFileError("exposed", why)
    if max_bytes is not None and found.st_size > max_bytes:
        raise _too_large(max_bytes)


def _exposed(found: os.stat_result) -> str:
    if os.name != "posix":  # there, who may read is not in the mode
        return ""
    if found.st_uid != os.geteuid():
        return "belongs to another user"
    open_to_others = stat.S_IMODE(found.st_mode) & 0o077
    return "can be read by other users (chmod 600 keeps them out)" if open_to_others else ""


def _not_regular() -> UnsafeFileError:
    return UnsafeFileError("not regular", "is no ordinary file")


def _is_link() -> UnsafeFileError:
    return UnsafeFileError("link", "is a link")


def _too_large(max_bytes: int) -> UnsafeFileError:
    mebibytes, rest = divmod(max_bytes, 2**20)
    most = f"{max_bytes:,} bytes" if rest else f"{mebibytes} MiB"
    return UnsafeFileError("too large", f"has more than {most}")


# --- Writing -------------------------------------------------------------------------------------


def write_atomically(
    path: Path,
    content: bytes,
    *,
    mode: int | None = PRIVATE,
    before_rename: Callable[[], None] | None = None,
) -> None:
    """Put new content in the place of a file, or make it; a link is replaced, not followed.

    The content is written to a file beside it, which has its permissions from the first byte, and
    reaches the disk before it takes the name. If anything fails, the old file is as it was, and
    nothing is left beside it.

    Args:
        path: the file; its folder is there.
        content: all of it.
        mode: its permissions; None keeps those of the file that is there, else `PRIVATE`.
        before_rename: called last, with the new content on the disk; what it raises leaves the old
            file in place.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_new(draft, content, mode=_mode_of(path) if mode is None else mode)
        if before_rename:
            before_rename()
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_new(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Make a new file and bring it to the disk; what fails leaves none.

    Nobody else may read it before it is whole, whatever its permissions are then.

    Raises:
        OSError: there is one of that name already, or it cannot be written.
    """
    file = private_file(path)
    try:
        with file:
            file.write(content)
            file.flush()
            if mode != PRIVATE:
                path.chmod(mode)
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def private_file(path: Path) -> BinaryIO:
    """Make a new file that its owner alone may read, and open it to be written.

    Raises:
        OSError: there is one of that name already, or it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
    return os.fdopen(os.open(path, flags, PRIVATE), "wb")


def private_folder(state_dir: Path, name: str) -> Path:
    """Return a folder of the state directory; both are made, for their owner alone, if need be.

    Raises:
        OSError: it cannot be made.
    """
    folder = state_dir / name
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def sync_folder(folder: Path) -> None:
    """Let what was renamed in a folder, or removed from it, outlive a power failure.

    Some systems, Windows among them, have no such call: what was done stays done without it.
    """
    if os.name != "posix":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _mode_of(path: Path) -> int:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return PRIVATE
    return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else PRIVATE
