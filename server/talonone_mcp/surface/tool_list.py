"""Which tools clients see, and how each is described."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mcp import types

from talonone_mcp.core.catalog import Catalog, Tool
from talonone_mcp.core.names import did_you_mean
from talonone_mcp.core.settings import Settings
from talonone_mcp.surface.doors import door_tools
from talonone_mcp.surface.output_schemas import output_schema
from talonone_mcp.surface.server_info import info_tool

DEFAULT = "default"  # the profile if no tools are chosen
ALL = "all"
_MAX_LISTED = 40  # names in an error message: a line or two


class SurfaceError(ValueError):
    """The chosen tools cannot be listed; the message says why."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What clients see: the tools, and the names of the prompts that go with them."""

    tools: tuple[types.Tool, ...]
    prompts: frozenset[str] | None
    """None means all of them."""

    def shows(self, prompt: str) -> bool:
        """Return whether clients see a prompt."""
        return self.prompts is None or prompt in self.prompts


def surface(catalog: Catalog, settings: Settings) -> Surface:
    """Return what clients see: the doors, `server_info`, then tools in catalog order.

    A profile, toolsets and single tools add up. Operations of an API without credentials are
    hidden; on a read-only server, so is everything but reads. If every operation is listed, the
    doors would add nothing and are left out.

    Raises:
        SurfaceError: a profile, toolset or tool does not exist or may not be listed.
    """
    names = set(_chosen(catalog, settings))
    listed = [
        tool
        for tool in catalog.tools
        if tool.name in names
        and not settings.apis.isdisjoint(tool.apis)
        and (tool.is_read or not settings.read_only)
    ]
    doors = [] if ALL in (settings.toolsets or ()) else door_tools(read_only=settings.read_only)
    profile = catalog.profiles.get(settings.profile or "")
    tools = [as_tool(each, with_output=settings.output_schemas) for each in listed]
    info = info_tool(with_output=settings.output_schemas)
    return Surface((*doors, info, *tools), frozenset(profile.prompts) if profile else None)


def _chosen(catalog: Catalog, settings: Settings) -> Iterator[str]:
    profile = settings.profile
    if not (profile or settings.toolsets or settings.tools):
        profile = DEFAULT
    if profile:
        _check("--profile", "profile", [profile], catalog.profiles)
        yield from catalog.profiles[profile].tools
    toolsets = settings.toolsets or ()
    _check("--toolsets", "toolset", toolsets, [*catalog.toolsets, ALL])
    yield from (each.name for each in catalog.tools if {each.toolset, ALL} & {*toolsets})
    known = [*catalog.operations, *catalog.workflows, *catalog.aliases]
    _check("--tools", "operation", settings.tools or (), known)
    for name in settings.tools or ():
        tool = catalog.find(name)
        if tool and settings.read_only and not tool.is_read:
            raise SurfaceError(f"--tools: {name} does more than read, which --read-only forbids")
        if tool:
            yield tool.name


def _check(flag: str, what: str, names: Iterable[str], known: Iterable[str]) -> None:
    everything = list(known)
    for name in names:
        if name not in everything:
            many = len(everything) > _MAX_LISTED
            listed = "docs/tools.md lists them all" if many else ", ".join(everything)
            suggestion = did_you_mean(name, everything, otherwise=f"; {listed}")
            raise SurfaceError(f"{flag}: there is no {what} {name!r}{suggestion}")


def as_tool(tool: Tool, *, with_output: bool = False) -> types.Tool:
    """Return a tool in MCP's form, optionally with the schema of its answers."""
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=output_schema(tool) if with_output else None,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.is_read,
            destructive_hint=tool.risk == "destructive",
            idempotent_hint=tool.idempotent,
            open_world_hint=False,
        ),
    )
