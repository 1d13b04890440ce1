"""JSON Schemas of answers, for hosts that call tools from code.

No property is required: answers omit empty parts, and a view shows only some fields.
"""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.core.catalog import Operation, Tool, Workflow
from talonone_mcp.core.catalog.answer_schemas import answer_schema
from talonone_mcp.core.catalog.model import Schema

_PAGE: Schema = {
    "type": "object",
    "properties": {
        "shown": {"type": "integer"},
        "total": {"type": "integer"},
        "fetched": {"type": "integer"},
        "next": {"type": "object"},
        "whole": {"type": "string"},
    },
}
_DONE: Mapping[str, Schema] = {"done": {"type": "boolean"}, "status": {"type": "integer"}}
_EXPORT: Mapping[str, Schema] = {
    "export": {"type": "object"},
    "csv": {"type": "string"},
    "page": _PAGE,
}


def output_schema(tool: Tool) -> Schema:
    """Return the schema of a successful call's answer."""
    return {"type": "object", "properties": _properties(tool)}


def _properties(tool: Tool) -> Mapping[str, Schema]:
    if isinstance(tool, Workflow):
        return tool.answer
    return _properties_of(tool) if isinstance(tool, Operation) else {}


def _properties_of(operation: Operation) -> Mapping[str, Schema]:
    if operation.is_export:
        return _EXPORT
    answer = answer_schema(operation.name)
    if answer is None:
        return _DONE
    documented = answer.get("properties", {})
    if "items" in answer:  # the whole answer is a list
        documented = {"data": answer}
    properties = {**documented, **(_DONE if not operation.is_read else {})}
    if "data" in documented:
        properties["csv"] = {"type": "string"}
    return {**properties, "page": _PAGE}
