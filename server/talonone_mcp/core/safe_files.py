"""Opens files that somebody named; writes files that nobody else may read or see half-written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


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
    if os.name != "posix":  # there, who may read is not in the mode
        return ""
    if found.st_uid != os.geteuid():
        return "belongs to another user"
    open_to_others = stat.S_IMODE(found.st_mode) & 0o077
    return "can be read by other users (chmod 600 keeps them out)" if open_to_others else ""


def private_folder(state_dir: Path, name: str) -> Path:
    """Return a folder of the state directory; both are made, for their owner alone, if need be.

    Raises:
        OSError: it cannot be made.
    """
    folder = state_dir / name
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def private_file(path: Path) -> BinaryIO:
    """Make a new file that its owner alone may read, and open it to be written.

    Raises:
        OSError: there is one of that name already, or it cannot be made.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
