"""`talonone-mcp tools`: list, search and explain what can be called."""

# ruff: noqa: T201 - stdout is what a command answers on

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog, CatalogError, Operation, Tool
from talonone_mcp.core.names import in_words
from talonone_mcp.terminal.call_arguments import ArgumentsError, find_tool
from talonone_mcp.terminal.streams import USAGE, escape_unprintable, fail

_MAX_FOUND = 10  # results of a search


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    said = "list, search and explain what can be called"
    tools = commands.add_parser("tools", help=said, description=f"{said.capitalize()}.")
    tools.add_argument("names", metavar="NAME", nargs="*", help="explain these and their arguments")
    tools.add_argument("--toolset", metavar="NAME", help="list one toolset")
    tools.add_argument("--search", metavar="WORDS", help="find the ten that fit these words best")
    tools.add_argument("--json", action="store_true", help="print JSON, with the schemas")
    tools.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    escape_unprintable()
    try:
        catalog = catalogs.load()
        chosen = _chosen(catalog, options)
    except (CatalogError, ArgumentsError) as error:
        return fail(str(error), USAGE)
    if not chosen:
        return fail("nothing matches. Use other words, in English, or list all: talonone-mcp tools")
    if options.json or (not sys.stdout.isatty() and not options.names):
        print(json.dumps([_record(tool) for tool in chosen], ensure_ascii=False, indent=2))
    elif options.names:
        print("\n\n".join("\n".join(_explained(tool)) for tool in chosen))
    else:
        _print(catalog, chosen)
    return 0


def _chosen(catalog: Catalog, options: argparse.Namespace) -> Sequence[Tool]:
    """Return the tools that were asked for.

    Raises:
        ArgumentsError: there is no such tool or toolset.
    """
    toolset = options.toolset
    if toolset is not None and toolset not in catalog.toolsets:
        known = ", ".join(catalog.toolsets)
        raise ArgumentsError(f"there is no toolset {toolset!r}, only {known}")
    if options.names:
        return [find_tool(catalog, name) for name in options.names]
    if options.search:
        from talonone_mcp.surface.search import Search  # noqa: PLC0415 - a list needs no index

        return Search(catalog).find(options.search, _MAX_FOUND, toolset)
    return [tool for tool in catalog.tools if toolset in (None, tool.toolset)]


def _record(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": tool.title,
        "toolset": tool.toolset,
        "risk": tool.risk,
        "description": tool.description,
        "inputSchema": tool.input_schema,
    }


def _explained(tool: Tool) -> Iterator[str]:
    """Yield the lines that explain one tool."""
    from talonone_mcp.core.catalog.signature import signature  # noqa: PLC0415

    yield f"{tool.name}: {tool.title} ({tool.risk}, {tool.toolset})"
    yield tool.description
    if tool.impact:
        kinds = in_words(list(dict.fromkeys(rule.kind for rule in tool.impact)))
        yield f"Impact, by which a person may have to confirm it: {kinds}."
    if isinstance(tool, Operation):
        yield f"{tool.method} {tool.path}"
    required = tool.input_schema.get("required", [])
    properties = tool.input_schema["properties"]
    for name in sorted(properties, key=lambda name: name not in required):
        yield f"  {signature({'properties': {name: properties[name]}, 'required': required})}"


def _print(catalog: Catalog, tools: Sequence[Tool]) -> None:
    from talonone_mcp.terminal import printing  # noqa: PLC0415 - slow to load, not for scripts

    rows = [(tool.name, tool.risk, tool.title) for tool in tools]
    printing.print_table(printing.console(sys.stdout), ("name", "risk", "what it does"), rows)
    count = f"{len(tools)} of {len(catalog.tools)}"
    print(f"{count}. What one takes: talonone-mcp tools NAME. To call it: talonone-mcp call NAME")
