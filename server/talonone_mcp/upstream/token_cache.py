"""Keeps the token of a session in a file, if the configuration names one.

Upstream wants a session to be used for as long as it lasts, but a host may start the server anew
for each conversation, and it would open a session each time. What is wrong with the file is only
logged: a session is then opened as if there were no file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from pathlib import Path

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.safe_files import (
    UnsafeFileError,
    not_private,
    read_regular,
    write_atomically,
)
from talonone_mcp.core.settings import Settings

# https://docs.talon.one/management-api: a token lives for three months. The shortest three, from
# February to April, have 89 days.
TOKEN_LIFETIME_S = 89 * 86_400.0
_MAX_FILE_BYTES = 16_384  # a longer file is not ours


class TokenCache:
    """The file of one account. Of deployment and e-mail it holds only a digest."""

    def __init__(self, path: Path, base_url: str, email: str, clock: Clock = SYSTEM_CLOCK) -> None:
        """Name the file; nothing is read yet.

        Args:
            path: of the file.
            base_url: the session's deployment.
            email: the session's account.
            clock: tells how old a token is.
        """
        self._path = path
        self._account = hashlib.sha256(json.dumps([base_url, email]).encode()).hexdigest()
        self._clock = clock

    def read(self) -> str | None:
        """Return this account's token; None if there is none or it has expired."""
        try:
            record = json.loads(self._content())
            token, created = record["token"], float(record["created"])
            ours = record["account"] == self._account and _sendable(token)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        alive = 0 <= self._clock.now() - created < TOKEN_LIFETIME_S
        return token if ours and alive else None

    def write(self, token: str) -> None:
        """Replace what the file holds by a token."""
        if why := not_private(self._path):
            self._warn(f"{why}; it is not used")
            return
        record = {"account": self._account, "created": int(self._clock.now()), "token": token}
        try:
            write_atomically(self._path, json.dumps(record).encode())
        except OSError as error:
            self._warn(f"cannot be written: {error.strerror}")

    def clear(self, token: str) -> None:
        """Remove the file, unless it holds a newer token or another account's."""
        if self.read() == token:
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                self._warn(f"cannot be removed: {error.strerror}")

    def _content(self) -> bytes:
        try:
            return read_regular(self._path, max_bytes=_MAX_FILE_BYTES, private=True, links=False)
        except UnsafeFileError as error:
            self._warn(f"{error.reason}; it is not used")
            raise

    def _warn(self, what: str) -> None:
        logging.getLogger(__name__).warning("TALONONE_TOKEN_CACHE: %s %s", self._path, what)


def token_cache(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> TokenCache | None:
    """Return the cache that the configuration asks for; None if it asks for none."""
    if settings.token_cache is None or not settings.base_url or not settings.email:
        return None
    return TokenCache(settings.token_cache, settings.base_url, settings.email, clock)


def _sendable(token: object) -> bool:
    """Return whether a header can carry the token: a file may hold anything."""
    return isinstance(token, str) and re.fullmatch(r"[!-~]+", token) is not None
