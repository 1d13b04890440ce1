"""Keeps the token of a session in a file, if the configuration names one.

Upstream wants a session to be used for as long as it lasts, but a host may start the server anew
for each conversation, and it would open a session each time. What is wrong with the file is only
logged: a session is then opened as if there were no file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
from pathlib import Path

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.safe_files import not_private
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
            record = json.loads(self._content() or "{}")
            token, created = record["token"], float(record["created"])
            ours = record["account"] == self._account and _sendable(token)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        alive = 0 <= self._clock.now() - created < TOKEN_LIFETIME_S
        return token if ours and alive else None

    def write(self, token: str) -> None:
        """Replace what the file holds by a token."""
        if self._refused(self._path):
            return
        record = {"account": self._account, "created": int(self._clock.now()), "token": token}
        try:
            self._replace(json.dumps(record))
        except OSError as error:
            self._warn(f"cannot be written: {error.strerror}")

    def clear(self, token: str) -> None:
        """Remove the file, unless it holds a newer token or another account's."""
        if self.read() == token:
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                self._warn(f"cannot be removed: {error.strerror}")

    def _content(self) -> str:
        try:
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            descriptor = os.open(self._path, flags)
        except FileNotFoundError:
            return ""
        with os.fdopen(descriptor, "rb") as file:
            if self._refused(descriptor):
                return ""
            return file.read(_MAX_FILE_BYTES).decode()

    def _replace(self, content: str) -> None:
        """Write beside the file and rename, so that nobody reads half a token, or a public one."""
        new = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _refused(self, file: Path | int) -> bool:
        why = not_private(file)
        if why:
            self._warn(f"{why}; it is not used")
        return bool(why)

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
