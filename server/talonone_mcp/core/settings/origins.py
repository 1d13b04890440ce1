"""Where a setting came from, so that people can find what to change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting came from.

    Attributes:
        kind: the kind of source.
        name: its name there: `--profile`, `TALONONE_BASE_URL`, `[talonone] base_url`.
        file: the configuration file, if it came from there.
        secret_file: the file that holds the secret, if the setting named one.
    """

    kind: Literal["flag", "environment", "file", "sandbox", "default"]
    name: str = ""
    file: Path | None = None
    secret_file: Path | None = None

    def __str__(self) -> str:
        """Return the origin as messages show it."""
        return f"{self.file}: {self.name}" if self.file else self.name or self.kind


@dataclass(frozen=True, slots=True)
class Given:
    """A value before validation, and its origin.

    If the origin has a `secret_file`, the value is that file's content.
    """

    value: Any
    origin: Origin


DEFAULT = Origin("default")


class SettingsError(ValueError):
    """The configuration is unusable. The message has one line per setting, naming it."""
