"""Writes a JSON Schema as short as a model can still call by: all that the schema says, no braces.

    applicationId: integer; state?: "enabled" | "disabled"; limits?: [{limit: number 0..}]

A name with a question mark may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from talonone_mcp.core.catalog.model import Schema

_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
    ("minProperties", "maxProperties", " properties"),
)


def signature(schema: Schema) -> str:
    """Return the properties of an object's schema, those that must be given first."""
    required = schema.get("required", ())
    properties: Mapping[str, Schema] = schema.get("properties", {})
    names = sorted(properties, key=lambda name: name not in required)
    return "; ".join(
        f"{name}{'' if name in required else '?'}: {_described(properties[name])}" for name in names
    )


def _described(schema: Schema) -> str:
    said = schema.get("description", "")
    return f"{_type(schema)} ({said.rstrip('.')})" if said else _type(schema)


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        kind = " | ".join(kind)
    if kind == "array":
        kind = f"[{_type(schema['items'])}]" if "items" in schema else "array"
    elif kind == "object" and schema.get("properties"):
        kind = f"{{{signature(schema)}}}"
    elif kind == "string" and "format" in schema:
        kind = str(schema["format"])
    return " ".join([kind, *_limits(schema)])


def _limits(schema: Schema) -> Iterator[str]:
    for least, most, unit in _BOUNDS:
        if least in schema or most in schema:
            yield f"{schema.get(least, '')}..{schema.get(most, '')}{unit}"
    if "exclusiveMinimum" in schema:
        yield f"> {schema['exclusiveMinimum']}"
    if "pattern" in schema:
        yield f"/{schema['pattern']}/"
    if schema.get("uniqueItems"):
        yield "unique"
    if "default" in schema:
        yield f"= {json.dumps(schema['default'])}"
