"""`docs/profiles.md`: the table of profiles."""

from __future__ import annotations

from collections.abc import Iterator

from release.references.markdown import code, codes, table
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.surface.tool_list import DEFAULT


def profiles(known: Catalog) -> Iterator[str]:
    """Yield which tools and prompts each profile lists."""
    yield from table(
        ("profile", "job", "tools, besides the doors", "prompts"),
        (
            (
                "none chosen" if profile.name == DEFAULT else code(profile.name),
                profile.title,
                codes(profile.tools),
                "all" if profile.name == DEFAULT else codes(profile.prompts),
            )
            for profile in known.profiles.values()
        ),
    )
