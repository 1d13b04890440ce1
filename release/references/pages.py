"""Which parts of which pages are made, and how a page is renewed.

A page is written by hand, but for what stands between two comments that name the part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from release.project import ROOT
from release.references import (
    configuration_page,
    profiles_page,
    prompts_page,
    tools_page,
    workflows_page,
)
from talonone_mcp.core import catalog
from talonone_mcp.core.catalog import Catalog

Part = Callable[[Catalog], Iterable[str]]
PAGES: Mapping[str, Mapping[str, Part]] = {
    "docs/configuration.md": {
        "variables": configuration_page.variables,
        "flags": configuration_page.flags,
    },
    "docs/profiles.md": {"profiles": profiles_page.profiles},
    "docs/prompts.md": {
        "contents": prompts_page.contents,
        "prompts": prompts_page.sections,
        "limits": prompts_page.limits,
    },
    "docs/tools.md": {
        "toolsets": tools_page.toolsets,
        "operations": tools_page.operations,
    },
    "docs/workflows.md": {"workflows": workflows_page.workflows},
}
_BEGIN = "<!-- {}: made by `python -m release.references` -->"
_END = "<!-- end of {} -->"


def stale(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield each page that is not what the code says, with the text that it should have.

    Args:
        root: the checkout whose pages are read.

    Raises:
        ValueError: a page lacks the comments around a part.
    """
    known = catalog.load()
    for name, parts in PAGES.items():
        path = root / name
        written = path.read_text("utf-8")
        try:
            text = renewed(written, parts, known)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if text != written:
            yield path, text


def renewed(text: str, parts: Mapping[str, Part], known: Catalog) -> str:
    """Return a page with each of its parts made anew.

    Args:
        text: the page.
        parts: what makes the lines of each part, by its name.
        known: the catalog.

    Raises:
        ValueError: the page has not the two comments around each part once.
    """
    for name, lines in parts.items():
        begin, end = _BEGIN.format(name), _END.format(name)
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"it must have each of these lines once: {begin} {end}")
        before, _, rest = text.partition(begin)
        made = "\n".join(lines(known))
        text = f"{before}{begin}\n\n{made}\n\n{end}{rest.partition(end)[2]}"
    return text
