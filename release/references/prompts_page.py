"""`docs/prompts.md`: every prompt with its arguments, and what a prompt of one's own may hold."""

from __future__ import annotations

from collections.abc import Iterator

from release.references.markdown import codes, table
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.server import prompts
from talonone_mcp.server.prompts import LONGEST_LINE, LONGEST_TEXT, Argument, Prompt
from talonone_mcp.server.prompts.own_prompts import LARGEST, MOST
from talonone_mcp.server.prompts.prompt_parser import COMPLETED
from talonone_mcp.surface.tool_list import DEFAULT


def contents(known: Catalog) -> Iterator[str]:
    """Yield a table of all prompts that links to their sections."""
    yield from table(
        ("prompt", "what for", "profiles"),
        (
            (f"[`{each.name}`](#{each.name})", each.description, _profiles(each, known))
            for each in prompts.load().values()
        ),
    )


def sections(_: Catalog) -> Iterator[str]:
    """Yield a section for each prompt, with a table of its arguments."""
    for number, prompt in enumerate(prompts.load().values()):
        if number:
            yield ""
        yield f"## {prompt.name}"
        yield ""
        yield f"*{prompt.title}.* {prompt.description}".replace("?.*", "?*")
        yield ""
        yield from table(("argument", "what", "completed from"), map(_cells, prompt.arguments))
        yield ""
        yield f"Tools: {codes(prompt.tools)}."
        if prompt.resources:
            yield f"Resources: {codes(prompt.resources)}."


def limits(_: Catalog) -> Iterator[str]:
    """Yield how large things may be."""
    yield from table(
        ("limit", "value"),
        (
            ("an argument on one line", f"{LONGEST_LINE} characters"),
            ("an argument with several lines", f"{LONGEST_TEXT:,} characters"),
            ("a file of your own", f"{LARGEST // 1024} KB"),
            ("files of your own", str(MOST)),
            ("values of `complete`", codes(COMPLETED)),
        ),
    )


def _profiles(prompt: Prompt, known: Catalog) -> str:
    chosen = (p.name for p in known.profiles.values() if prompt.name in p.prompts)
    return codes(name for name in chosen if name != DEFAULT) or "none chosen"


def _cells(argument: Argument) -> tuple[str, str, str]:
    name = f"**{argument.name}**" if argument.required else argument.name
    completed = ", ".join(argument.values) or argument.complete.replace("_", " ")
    return name, argument.description, completed
