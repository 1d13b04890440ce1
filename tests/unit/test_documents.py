"""Documents hold together: every page can be found, and every link leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text("utf-8"))


def links(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file, or folder, that a document links to, with the anchor in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            yield (path.parent / name).resolve() if name else path, anchor


def anchors(path: Path) -> set[str]:
    """Return what GitHub calls the headings of a document."""
    titles = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def reached(start: Path) -> set[Path]:
    """Return the pages below `docs/` that links lead to, from one page on."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        page = waiting.pop()
        if page not in found and page.is_relative_to(DOCS) and page.is_file():
            found.add(page)
            waiting += [target for target, _ in links(page)]
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    missing = {str(target) for target, _ in links(path) if not target.exists()}
    assert missing == set()
    assert {
        f"{target.name}#{anchor}"
        for target, anchor in links(path)
        if anchor and anchor not in anchors(target)
    } == set()


def test_every_page_is_reachable_from_the_index() -> None:
    assert reached(INDEX) == set(DOCS.rglob("*.md"))


def test_the_index_has_one_line_a_page() -> None:
    rows = re.findall(r"^\| \[([^]]+)\]\(([^)]+)\) \| .+ \|$", prose(INDEX), re.MULTILINE)
    pages = {path.name for path in DOCS.glob("*.md")} - {INDEX.name}

    assert all(title == target for title, target in rows)
    assert sorted(target for _, target in rows if "/" not in target) == sorted(pages)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 220
