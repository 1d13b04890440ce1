"""Keeps the token of a session in a file, for whoever asked for that.

Upstream wants a session to be used for as long as it lasts, and a server that a host starts anew
with each conversation would open one each time. Whatever is wrong with the file is for the log: a
session is then opened as if there were none.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from talonone_mcp.core.safe_files import not_private
from talonone_mcp.core.settings import Settings

# https://docs.talon.one/management-api: a token lives for three months, of which 89 days are the
# shortest (February to April).
LIFETIME = 89 * 86_400.0
_SIZE = 16_384  # bytes; what is longer is no file of ours


class TokenCache:
    """The file of one account: deployment and e-mail, of which it holds only a digest."""

    def __init__(
        self, path: Path, base_url: str, email: str, clock: Callable[[], float] = time.time
    ) -> None:
        """Name the file; nothing is read yet.

        Args:
            path: of the file.
            base_url: the deployment whose session it is.
            email: whose session it is.
            clock: seconds since 1970.
        """
        self._path = path
        self._account = hashlib.sha256(json.dumps([base_url, email]).encode()).hexdigest()
        self._clock = clock

    def read(self) -> str | None:
        """Return the token, unless there is none of this account that still lives."""
        try:
            record = json.loads(self._content() or "{}")
            token, created = record["token"], float(record["created"])
            ours = record["account"] == self._account and _sendable(token)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        alive = 0 <= self._clock() - created < LIFETIME
        return token if ours and alive else None

    def write(self, token: str) -> None:
        """Keep a token in the place of what the file held."""
        if self._refused(self._path):
            return
        record = {"account": self._account, "created": int(self._clock()), "token": token}
        try:
            self._replace(json.dumps(record))
        except OSError as error:
            self._warn(f"cannot be written: {error.strerror}")

    def clear(self, token: str) -> None:
        """Take a token out of the file, unless a newer one, or another account's, is in it."""
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
            return file.read(_SIZE).decode()

    def _replace(self, content: str) -> None:
        """Write beside the file and rename: nobody ever reads half a token, or one made public."""
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


def token_cache(settings: Settings) -> TokenCache | None:
    """Return the cache that the configuration asks for, if it does."""
    if settings.token_cache is None or not settings.base_url or not settings.email:
        return None
    return TokenCache(settings.token_cache, settings.base_url, settings.email)


def _sendable(token: object) -> bool:
    """Tell whether a header can carry it: a file may hold anything."""
    return isinstance(token, str) and re.fullmatch(r"[!-~]+", token) is not None
