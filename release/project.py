"""The project's own name, version and words, for whatever is published of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from talonone_mcp import __version__

ROOT = Path(__file__).parents[1]
VERSION = __version__
TITLE = "talonone-mcp for Talon.One"
# Whoever publishes it proves that the namespace is theirs: for this one, by signing in to the
# registry as a member of that organisation. https://modelcontextprotocol.io/registry/authentication
REGISTRY_NAME = "io.github.talonone-mcp/talonone-mcp"


def metadata() -> dict[str, Any]:
    """Return the `[project]` table of `pyproject.toml`."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project
