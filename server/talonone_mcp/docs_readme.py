"""Writes the tables of the README: workflows, prompts, profiles, toolsets and settings.

    python -m talonone_mcp.docs_readme README.md

Each stands between two comments. A test fails when they are not what this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from talonone_mcp import docs_configuration
from talonone_mcp.core import catalog
from talonone_mcp.core.catalog import Catalog, Tool
from talonone_mcp.server import prompts
from talonone_mcp.surface.tool_list import DEFAULT

_BEGIN = "<!-- {}: made by `python -m talonone_mcp.docs_readme README.md` -->"
_END = "<!-- The end of the {} -->"


def renewed(text: str) -> str:
    """Return a document with each table in the place of what is between its comments.

    Raises:
        ValueError: it has not each of the comments once.
    """
    known = catalog.load()
    for name, rows in _TABLES.items():
        begin, end = _BEGIN.format(name.capitalize()), _END.format(name)
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"it must have these two lines: {begin} {end}")
        before, _, rest = text.partition(begin)
        table = "\n".join(rows(known))
        text = f"{before}{begin}\n\n{table}\n\n{end}{rest.partition(end)[2]}"
    return text


def _workflows(known: Catalog) -> Iterator[str]:
    yield from _head("workflow", "what it does", "risk")
    for workflow in known.workflows.values():
        yield _row(f"`{workflow.name}`", workflow.description, _risk(workflow))


def _prompts(known: Catalog) -> Iterator[str]:
    yield from _head("prompt", "what for", "profiles")
    for prompt in prompts.load().values():
        jobs = [p.name for p in known.profiles.values() if prompt.name in p.prompts]
        chosen = ", ".join(f"`{name}`" for name in jobs if name != DEFAULT)
        yield _row(f"`{prompt.name}`", prompt.description, chosen or "none chosen")


def _profiles(known: Catalog) -> Iterator[str]:
    yield from _head("profile", "job", "tools that it shows, beside the doors")
    for profile in known.profiles.values():
        name = f"`{profile.name}`" if profile.name != DEFAULT else "none chosen"
        yield _row(name, profile.title, ", ".join(f"`{tool}`" for tool in profile.tools))


def _toolsets(known: Catalog) -> Iterator[str]:
    yield from _head("toolset", "tools", "what is in it")
    for toolset in known.toolsets.values():
        members = [each for each in known.tools if each.toolset == toolset.name]
        yield _row(f"`{toolset.name}`", str(len(members)), toolset.description)


def _risk(tool: Tool) -> str:
    if tool.confirm is None:
        return tool.risk
    return f"{tool.risk}, confirmed{' for some arguments' if tool.confirm.when else ''}"


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


_TABLES: Mapping[str, Callable[[Catalog], Iterator[str]]] = {
    "workflows": _workflows,
    "prompts": _prompts,
    "profiles": _profiles,
    "toolsets": _toolsets,
    "settings": lambda _: docs_configuration.tables(),
}


def main(arguments: list[str]) -> int:
    """Renew the tables in the files that are named."""
    for name in arguments:
        path = Path(name)
        path.write_text(renewed(path.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
