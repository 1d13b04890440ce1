"""Where a setting came from, so that a person can find what to change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Origin:
    """Who gave a setting.

    `name` is what it is called there: `--profile`, `TALONONE_BASE_URL`, `[talonone] base_url`.
    `file` is the configuration file; `secret_file` is the file that holds the secret itself, where
    the setting named one.
    """

    kind: Literal["flag", "environment", "file", "sandbox", "default"]
    name: str = ""
    file: Path | None = None
    secret_file: Path | None = None

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.file}: {self.name}" if self.file else self.name or self.kind


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given, not checked yet, and by whom.

    With a `secret_file` in the origin, the value is what that file holds.
    """

    value: Any
    origin: Origin


DEFAULT = Origin("default")


class SettingsError(ValueError):
    """The configuration cannot be used. The message has one line a setting, naming it."""
