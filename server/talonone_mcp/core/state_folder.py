"""Where the server keeps what must outlive it: approvals, the audit log, an approver's passphrase.

Commands that look at these need no account, so that what they need of the configuration stands
here and not in `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
