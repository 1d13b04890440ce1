"""Render a JSON Schema as one short line that still tells a model how to call.

    applicationId: integer; state?: "enabled" | "disabled"; limits?: [{limit: number 0..}]

A question mark marks an optional property.
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
    """Return the properties of an object's schema on one line, required ones first."""
    required = schema.get("required", ())
    properties: Mapping[str, Schema] = schema.get("properties", {})
    names = sorted(properties, key=lambda name: name not in required)
    return "; ".join(
        f"{name}{'' if name in required else '?'}: {_described(properties[name])}" for name in names
    )


def _described(schema: Schema) -> str:
    text = schema.get("description", "")
    return f"{_type(schema)} ({text.rstrip('.')})" if text else _type(schema)


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
    for lower, upper, unit in _BOUNDS:
        if lower in schema or upper in schema:
            yield f"{schema.get(lower, '')}..{schema.get(upper, '')}{unit}"
    if "exclusiveMinimum" in schema:
        yield f"> {schema['exclusiveMinimum']}"
    if "pattern" in schema:
        yield f"/{schema['pattern']}/"
    if schema.get("uniqueItems"):
        yield "unique"
    if "default" in schema:
        yield f"= {json.dumps(schema['default'])}"
