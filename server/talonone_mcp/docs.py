"""Writes the reference of all operations, `docs/tools.md`, from the catalog.

    python -m talonone_mcp.docs > docs/tools.md

A test fails when the file in the repository is not what this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from talonone_mcp.core import catalog
from talonone_mcp.core.catalog import Catalog, Operation, Tool, Toolset, Workflow

_API = {
    "management": "Management",
    "integration": "Integration",
    "third_party": "Third-party",
    "capillary": "Capillary",
}
_WORKFLOWS = "workflows"
_HEAD = """\
# Operations

Made from the catalog by `python -m talonone_mcp.docs`; do not edit.

Arguments are path, query and body properties side by side, under upstream's own names; **bold**
ones are required. A *write* changes something; a *destructive* operation deletes, or cannot be
called back. *Confirmed* means that a person must say yes to exactly that call before it is sent.
Other names that a call may use stand in brackets.
"""


def reference(operations: Catalog) -> str:
    """Return the whole reference as Markdown."""
    parts = [_HEAD, *_contents(operations)]
    for toolset in operations.toolsets.values():
        parts += ["", f"## {toolset.title}", "", f"`{toolset.name}`: {toolset.description}", ""]
        last = "operations" if toolset.name == _WORKFLOWS else "request"
        parts += [
            f"| tool | what it does | arguments | risk | {last} |",
            "| --- | --- | --- | --- | --- |",
        ]
        parts += [_row(each) for each in _of(operations, toolset)]
    return "\n".join(parts) + "\n"


def _contents(operations: Catalog) -> Iterator[str]:
    yield f"{len(operations.operations)} operations, and {len(operations.workflows)} workflows of"
    yield f"several operations each, in {len(operations.toolsets)} toolsets:"
    yield ""
    yield "| toolset | name | tools |"
    yield "| --- | --- | --- |"
    for toolset in operations.toolsets.values():
        anchor = toolset.title.lower().replace(" ", "-")
        members = len(list(_of(operations, toolset)))
        yield f"| [{toolset.title}](#{anchor}) | `{toolset.name}` | {members} |"


def _of(operations: Catalog, toolset: Toolset) -> Iterator[Tool]:
    return (each for each in operations.tools if each.toolset == toolset.name)


def _row(tool: Tool) -> str:
    name = f"`{tool.name}`"
    if tool.aliases:
        name += f" ({', '.join(f'`{alias}`' for alias in tool.aliases)})"
    cells = (name, tool.description, _arguments(tool), _risk(tool), _sent(tool))
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _sent(tool: Tool) -> str:
    if isinstance(tool, Operation):
        return f"{_API[tool.api]}<br>`{tool.method} {tool.path}`"
    return ", ".join(f"`{name}`" for name in tool.uses) if isinstance(tool, Workflow) else ""


def _arguments(tool: Tool) -> str:
    schema = tool.input_schema
    required = schema.get("required", [])
    names = (f"**{n}**" if n in required else n for n in schema["properties"])
    return ", ".join(names) or "none"


def _risk(tool: Tool) -> str:
    if tool.confirm is None:
        return tool.risk
    when = tool.confirm.when
    return f"{tool.risk}, confirmed{'' if when is None else f' when {_condition(when)}'}"


def _condition(when: dict[str, Any]) -> str:
    """Say in words which arguments a `confirm.when` asks about."""
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


if __name__ == "__main__":
    sys.stdout.write(reference(catalog.load()))
