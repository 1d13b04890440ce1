"""The formats of `server.json` and of a bundle's manifest, as far as they concern ours.

The limits and names are those of the published schemas; the wording is not. Unlike those, these
take no name that is not in them, so that a slip of the pen is found. Where the published ones are
at hand, in the folder that TALONONE_SCHEMAS names, the same documents are put to them too:

    https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json
    https://github.com/modelcontextprotocol/mcpb/blob/main/schemas/mcpb-manifest-v0.4.schema.json
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
FLAG: Mapping[str, Any] = {"type": "boolean"}
TEXTS: Mapping[str, Any] = {"type": "array", "items": TEXT, "minItems": 1}
# An exact version: nothing that a range is written with.
VERSION: Mapping[str, Any] = {"type": "string", "maxLength": 255, "pattern": r"^[0-9A-Za-z.+-]+$"}


def exactly(required: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that holds these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


_INPUT = {
    "description": TEXT,
    "format": {"enum": ["string", "number", "boolean", "filepath"]},
    "isRequired": FLAG,
    "isSecret": FLAG,
    "default": TEXT,
    "choices": TEXTS,
    "placeholder": TEXT,
}
_PACKAGE = {
    "registryType": {"const": "pypi"},
    "identifier": TEXT,
    "version": VERSION,
    "runtimeHint": TEXT,
    "transport": exactly("type", {"type": {"const": "stdio"}}),
    "packageArguments": {
        "type": "array",
        "items": {
            "oneOf": [
                exactly("type value", {"type": {"const": "positional"}, "value": TEXT}),
                exactly("type name", {"type": {"const": "named"}, "name": TEXT, **_INPUT}),
            ]
        },
    },
    "environmentVariables": {
        "type": "array",
        "items": exactly("name description", {"name": TEXT, **_INPUT}),
    },
}
SERVER = exactly(
    "$schema name title description version packages",
    {
        "$schema": {
            "const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
        },
        "name": {
            "type": "string",
            "maxLength": 200,
            "pattern": r"^[a-zA-Z0-9.-]+\.[a-zA-Z0-9-]+/[a-zA-Z0-9._-]+$",
        },
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": VERSION,
        "packages": {
            "type": "array",
            "items": exactly("registryType identifier version transport", _PACKAGE),
        },
    },
)

_START = exactly(
    "command args env",
    {"command": TEXT, "args": TEXTS, "env": {"type": "object", "additionalProperties": TEXT}},
)
_QUESTION = exactly(
    "type title description",
    {
        "type": {"enum": ["string", "number", "boolean", "directory", "file"]},
        "title": TEXT,
        "description": TEXT,
        "required": FLAG,
        "sensitive": FLAG,
        "default": {"type": ["string", "number", "boolean"]},
    },
)
MANIFEST = exactly(
    "manifest_version name version description author server",
    {
        "manifest_version": {"const": "0.4"},
        "name": TEXT,
        "display_name": TEXT,
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
        "description": TEXT,
        "author": exactly("name", {"name": TEXT}),
        "license": TEXT,
        "keywords": TEXTS,
        "icon": TEXT,
        "server": exactly(
            "type entry_point mcp_config",
            {"type": {"const": "uv"}, "entry_point": TEXT, "mcp_config": _START},
        ),
        "user_config": {"type": "object", "additionalProperties": _QUESTION},
        "tools": {
            "type": "array",
            "items": exactly("name description", {"name": TEXT, "description": TEXT}),
        },
        "tools_generated": FLAG,
        "prompts_generated": FLAG,
        "compatibility": exactly(
            "platforms runtimes",
            {
                "platforms": {"type": "array", "items": {"enum": ["darwin", "win32", "linux"]}},
                "runtimes": exactly("python", {"python": TEXT}),
            },
        ),
    },
)


def problems(document: object, schema: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing that a schema does not allow."""
    found = jsonschema.Draft7Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def published(name: str) -> dict[str, Any]:
    """Return a published schema, or skip the test where it is not at hand."""
    path = Path(os.environ.get("TALONONE_SCHEMAS", ""), name)
    if not os.environ.get("TALONONE_SCHEMAS") or not path.is_file():
        pytest.skip("TALONONE_SCHEMAS names no folder with the published schemas")
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema
