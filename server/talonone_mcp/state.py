"""Where the server keeps what must outlive it: approvals, the audit log, an approver's passphrase.

Commands that look at these need no account, so that what they need of the configuration stands
here and not in `settings`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from platformdirs import user_state_path

STATE_DIR = "TALONONE_STATE_DIR"
APPROVAL_SECONDS = "TALONONE_APPROVAL_SECONDS"
LIFETIME = 600.0  # seconds that an approval waits for its person, and then for its call


class StateError(ValueError):
    """A variable that says where or how long cannot be used; the message names it."""


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the state directory; it is made when something is first kept in it.

    Raises:
        StateError: the variable names the home of a user that there is not.
    """
    given = environment.get(STATE_DIR, "").strip()
    try:
        return Path(given).expanduser().absolute() if given else user_state_path("talonone-mcp")
    except RuntimeError as error:
        raise StateError(f"{STATE_DIR}: {error}") from None


def approval_lifetime(environment: Mapping[str, str]) -> float:
    """Return the seconds that an approval lives.

    Raises:
        StateError: the variable holds no number from 1 to 86,400; the message names it.
    """
    given = environment.get(APPROVAL_SECONDS, "").strip() or str(LIFETIME)
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 86_400:  # noqa: PLR2004 - a day
        raise StateError(f"{APPROVAL_SECONDS}: must be a number of seconds from 1 to 86400")
    return seconds


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
