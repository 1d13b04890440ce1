"""Serves the catalog as resources: a toolset's operations, with all that calling them takes."""

from __future__ import annotations

import json

from mcp.shared.uri_template import UriTemplate

from talonone_mcp.core.text import one_line
from talonone_mcp.server.resources.kinds import JSON, Kind, NoResourceError, Variables
from talonone_mcp.server.resources.resource_reader import ResourceReader
from talonone_mcp.surface.doors import described

_HOUR_MS = 3_600_000


async def _read(reader: ResourceReader, given: Variables) -> str:
    catalog, name = reader.catalog, str(given["toolset"])
    toolset = catalog.toolsets.get(name)
    if toolset is None:
        known = ", ".join(catalog.toolsets)
        raise NoResourceError(f"There is no toolset {one_line(name, 40)!r}. Toolsets: {known}.")
    tools = [
        described(tool)
        for tool in catalog.tools
        if tool.toolset == name and (tool.is_read or not reader.read_only)
    ]
    content = {
        "toolset": name,
        "title": toolset.title,
        "description": toolset.description,
        "operations": tools,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


TOOLSETS = (
    Kind(
        UriTemplate.parse("talonone://catalog/{toolset}"),
        "toolset",
        "Operations of a toolset",
        "Every operation of a toolset, with its arguments and its risk.",
        JSON,
        _read,
        fresh=_HOUR_MS,
        scope="public",
    ),
)
