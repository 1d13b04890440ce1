"""How dangerous a tool is and what its calls may do, in words."""

from __future__ import annotations

from talonone_mcp.core.catalog import Tool


def risk(tool: Tool) -> str:
    """Return a tool's risk with the kinds of its impact, such as "write: gives, drops"."""
    kinds = ", ".join(dict.fromkeys(rule.kind for rule in tool.impact))
    return f"{tool.risk}: {kinds}" if kinds else tool.risk
