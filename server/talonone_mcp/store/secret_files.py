"""Secrets that a person needs, such as an invitation's token: in files that only they can read.

A model sees where the file is, never what it holds.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.safe_files import private_folder, read_regular, write_atomically

SECRETS_FOLDER = "secrets"
_LIFETIME_S = 86_400.0
_MAX_BYTES = 100_000
_ON_SERVER = " on the server"


class SecretFiles(Protocol):
    """Where people find the secrets that answers do not show."""

    def keep(self, operation: str, secrets_by_path: Mapping[str, str]) -> str:
        """Keep an answer's secrets for a day, and return where a person reads them.

        Args:
            operation: whose answer held them.
            secrets_by_path: each with its place in the answer, such as `inviteToken`.

        Raises:
            OSError: they cannot be kept.
        """

    def find(self, location: str) -> str | None:
        """Return the only secret kept at a place that `keep` returned; None without one."""

    def prune(self) -> None:
        """Delete what is older than a day."""


class FolderSecretFiles:
    """Secrets in one file an answer, below the state directory."""

    def __init__(
        self, state_dir: Path, *, on_server: bool = False, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Touch nothing yet.

        Args:
            state_dir: the state directory.
            on_server: whether readers may sit at another machine, and are told that.
            clock: tells the age of a file.
        """
        self._state_dir = state_dir
        self._on_server = on_server
        self._clock = clock
        self._salt = secrets.token_bytes(16)

    def keep(self, operation: str, secrets_by_path: Mapping[str, str]) -> str:
        """See `SecretFiles.keep`."""
        self.prune()
        folder = private_folder(self._state_dir, SECRETS_FOLDER)
        # The letter keeps masking from taking an id of digits for a phone number.
        lines = (f"{place}: {value}\n" for place, value in secrets_by_path.items())
        content = "".join(lines).encode("utf-8", "replace")
        # The same secret again is the same file, and its name tells nothing about it.
        name = blake2b(content, key=self._salt, digest_size=8).hexdigest()
        path = folder / f"{operation}-s{name}.txt"
        write_atomically(path, content)
        now = self._clock.now()
        os.utime(path, (now, now))
        return f"{path}{_ON_SERVER}" if self._on_server else str(path)

    def find(self, location: str) -> str | None:
        """See `SecretFiles.find`."""
        name = Path(location.removesuffix(_ON_SERVER)).name
        try:
            content = read_regular(
                name,
                within=self._state_dir / SECRETS_FOLDER,
                max_bytes=_MAX_BYTES,
                private=True,
                links=False,
            )
        except OSError:
            return None
        lines = content.decode("utf-8", "replace").splitlines()
        return lines[0].partition(": ")[2] if len(lines) == 1 else None

    def prune(self) -> None:
        """See `SecretFiles.prune`."""
        for path in (self._state_dir / SECRETS_FOLDER).glob("*.txt"):
            with suppress(OSError):  # another process deleted it first
                if self._clock.now() - path.stat().st_mtime > _LIFETIME_S:
                    path.unlink()
