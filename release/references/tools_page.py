"""`docs/tools.md`: every operation and workflow, by toolset."""

from __future__ import annotations

from collections.abc import Iterator

from release.references.markdown import code, codes, table
from release.references.risk import risk
from talonone_mcp.core.catalog import Catalog, Operation, Tool, Toolset, Workflow

_API_TITLES = {
    "management": "Management",
    "integration": "Integration",
    "third_party": "Third-party",
    "capillary": "Capillary",
}
_WORKFLOWS = "workflows"


def toolsets(known: Catalog) -> Iterator[str]:
    """Yield how much there is, and a table of the toolsets that links to their sections."""
    yield (
        f"{len(known.operations)} operations and {len(known.workflows)} workflows,"
        f" in {len(known.toolsets)} toolsets:"
    )
    yield ""
    yield from table(
        ("toolset", "name", "tools", "what is in it"),
        (
            (
                f"[{toolset.title}](#{toolset.title.lower().replace(' ', '-')})",
                code(toolset.name),
                str(len(_members(known, toolset))),
                toolset.description,
            )
            for toolset in known.toolsets.values()
        ),
    )


def operations(known: Catalog) -> Iterator[str]:
    """Yield a section for each toolset, with a table of its tools."""
    for number, toolset in enumerate(known.toolsets.values()):
        if number:
            yield ""
        yield f"## {toolset.title}"
        yield ""
        yield f"`{toolset.name}`: {toolset.description}"
        yield ""
        last = "operations" if toolset.name == _WORKFLOWS else "request"
        yield from table(
            ("tool", "what it does", "arguments", "risk", last),
            map(_cells, _members(known, toolset)),
        )


def _members(known: Catalog, toolset: Toolset) -> list[Tool]:
    return [tool for tool in known.tools if tool.toolset == toolset.name]


def _cells(tool: Tool) -> tuple[str, ...]:
    name = code(tool.name)
    if tool.aliases:
        name += f" ({codes(tool.aliases)})"
    return name, tool.description, _arguments(tool), risk(tool), _requests(tool)


def _requests(tool: Tool) -> str:
    if isinstance(tool, Operation):
        return f"{_API_TITLES[tool.api]}<br>`{tool.method} {tool.path}`"
    return codes(tool.uses) if isinstance(tool, Workflow) else ""


def _arguments(tool: Tool) -> str:
    schema = tool.input_schema
    required = schema.get("required", [])
    return ", ".join(f"**{n}**" if n in required else n for n in schema["properties"]) or "none"
