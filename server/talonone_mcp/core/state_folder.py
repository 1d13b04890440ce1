"""The state directory: approvals, exports, the audit log and the approver's passphrase.

Commands that inspect these need no account, so the little configuration they need is here and not
in `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_state_path

STATE_DIR = "TALONONE_STATE_DIR"
APPROVAL_SECONDS = "TALONONE_APPROVAL_SECONDS"
APPROVAL_LIFETIME_S = 600.0  # an approval waits this long for a decision, then for its call


class StateError(ValueError):
    """A variable in this module is unusable; the message names it."""


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the state directory; whoever first writes to it creates it.

    Raises:
        StateError: the variable names the home of a user who does not exist.
    """
    given = environment.get(STATE_DIR, "").strip()
    try:
        return Path(given).expanduser().absolute() if given else user_state_path("talonone-mcp")
    except RuntimeError as error:
        raise StateError(f"{STATE_DIR}: {error}") from None


def approval_lifetime(environment: Mapping[str, str]) -> float:
    """Return the lifetime of an approval in seconds.

    Raises:
        StateError: the variable is not a number from 1 to 86,400; the message names it.
    """
    given = environment.get(APPROVAL_SECONDS, "").strip() or str(APPROVAL_LIFETIME_S)
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 86_400:  # noqa: PLR2004 - one day
        raise StateError(f"{APPROVAL_SECONDS}: must be a number of seconds from 1 to 86400")
    return seconds
