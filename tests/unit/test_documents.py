"""Documents are what the code says: tables that are made from it, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from talonone_mcp.docs_readme import renewed

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def test_the_readmes_tables_of_what_there_is_are_those_of_the_catalog() -> None:
    text = (ROOT / "README.md").read_text("utf-8")

    assert renewed(text) == text, "python -m talonone_mcp.docs_readme README.md"


def test_a_document_without_places_for_the_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="<!-- Workflows: made by"):
        renewed("# Another\n")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8"))
    files = [target for target in targets if "://" not in target]

    assert [target for target in files if not (path.parent / target).exists()] == []
