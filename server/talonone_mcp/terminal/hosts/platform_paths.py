"""Finds users' files on a machine.

Places are written as hosts document them: `$APPDATA/Claude/config.json`, `~/.cursor/mcp.json`. Of
several, the first wins whose variable is set and whose `*` matches a folder.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

System = Literal["linux", "macos", "windows"]

_SYSTEMS: Mapping[str, System] = {"darwin": "macos", "win32": "windows", "cygwin": "windows"}


@dataclass(frozen=True, slots=True)
class Machine:
    """A system, the environment of a command, and its working directory."""

    system: System
    environment: Mapping[str, str]
    folder: Path

    @property
    def home(self) -> Path:
        """The user's home, as hosts on this system determine it."""
        name = "USERPROFILE" if self.system == "windows" else "HOME"
        return Path(self.environment.get(name) or Path.home())

    def place(self, places: Iterable[str]) -> Path:
        """Return the path of the first place that this machine can have.

        Raises:
            LookupError: it can have none of them.
        """
        for place in places:
            found = self.resolve(place)
            if found is not None:
                return found
        raise LookupError(f"no place for {list(places)}")

    def resolve(self, place: str) -> Path | None:
        """Return the path of a place; None if its variable is unset or its `*` matches nothing."""
        first, _, rest = place.partition("/")
        if first == "~":
            base = self.home
        else:
            given = self.environment.get(first.removeprefix("$"), "").strip()
            base = Path(given)
            if not given or not base.is_absolute():  # as the XDG specification wants it
                return None
        folder, star, inside = rest.partition("*/")
        if not star:
            return base / rest
        found = sorted((base / folder).parent.glob(f"{Path(folder).name}*"))
        held = [each / inside for each in found if (each / inside).exists()]
        return next(iter([*held, *(each / inside for each in found)]), None)

    def has_command(self, name: str) -> bool:
        """Tell whether a program of this name is on the PATH."""
        return shutil.which(name, path=self.environment.get("PATH", "")) is not None


def this_machine() -> Machine:
    """Return the machine that this process runs on."""
    return Machine(_SYSTEMS.get(sys.platform, "linux"), os.environ, Path.cwd())
