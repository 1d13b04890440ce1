"""How dangerous a tool is, and when a person must confirm it, in words."""

from __future__ import annotations

from typing import Any

from talonone_mcp.core.catalog import Tool


def risk(tool: Tool) -> str:
    """Return a tool's risk, such as "write, confirmed when points is above 1,000"."""
    if tool.confirm is None:
        return tool.risk
    when = tool.confirm.when
    return f"{tool.risk}, confirmed{'' if when is None else f' when {_condition(when)}'}"


def _condition(when: dict[str, Any]) -> str:
    """Say which arguments a `confirm.when`, a JSON Schema, is about."""
    if "anyOf" in when:
        return " or ".join(_condition(each) for each in when["anyOf"])
    if "properties" not in when:
        return f"{', '.join(when['required'])} is given"
    return " and ".join(f"{name} {_limit(sub)}" for name, sub in when["properties"].items())


def _limit(schema: dict[str, Any]) -> str:
    if "exclusiveMinimum" in schema:
        return f"is above {schema['exclusiveMinimum']:,}"
    if "minItems" in schema:
        return f"has {schema['minItems']:,} items or more"
    if "const" in schema:
        return f"is {str(schema['const']).lower()}"
    if "enum" in schema:
        return f"is {' or '.join(schema['enum'])}"
    return f"has an item whose {_condition(schema['contains'])}"
