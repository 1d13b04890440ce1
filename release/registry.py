"""Prints `server.json`, by which the MCP registry knows the server.

    python -m release.registry > server.json

The format is https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json; what the
registry asks besides, https://modelcontextprotocol.io/registry/package-types.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from release.asked import Asked, asked
from release.project import REGISTRY_NAME, TITLE, VERSION, metadata
from talonone_mcp.core import catalog
from talonone_mcp.core.settings import ConfirmPolicy, Settings

SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"


def document() -> dict[str, Any]:
    """Return what `server.json` holds."""
    project = metadata()
    return {
        "$schema": SCHEMA,
        "name": REGISTRY_NAME,
        "title": TITLE,
        "description": project["description"],
        "version": VERSION,
        "packages": [
            {
                "registryType": "pypi",
                "identifier": project["name"],
                "version": VERSION,
                "runtimeHint": "uvx",
                "transport": {"type": "stdio"},
                "packageArguments": _arguments(),
                "environmentVariables": [_variable(each) for each in asked()],
            }
        ],
    }


def _arguments() -> list[dict[str, Any]]:
    """Describe the flags that have a value.

    The format knows no flag without one that a user may leave out, so `--read-only` and the like
    are not here.
    """
    return [
        {"type": "positional", "value": "serve"},
        {
            "type": "named",
            "name": "--profile",
            "description": "Whose job's tools are listed.",
            "default": "default",
            "choices": list(catalog.load().profiles),
        },
        {
            "type": "named",
            "name": "--confirm",
            "description": "What happens to a call that a person must confirm.",
            "default": Settings.model_fields["confirm"].default,
            # Who wants no gate says so in a terminal, not by picking from a list.
            "choices": [policy for policy in get_args(ConfirmPolicy) if policy != "off"],
        },
    ]


def _variable(setting: Asked) -> dict[str, Any]:
    described: dict[str, Any] = {"name": setting.variable, "description": setting.description}
    if setting.folder:
        described["format"] = "filepath"
    if setting.required:
        described["isRequired"] = True
    if setting.secret:
        described["isSecret"] = True
    return described


def text() -> str:
    """Return `server.json` as it stands in the repository."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
