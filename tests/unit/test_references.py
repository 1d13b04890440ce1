"""What documents say of the code is made from it, and a check names what is stale."""

from __future__ import annotations

from pathlib import Path

import pytest
from release.project import ROOT
from release.references.__main__ import main
from release.references.markdown import table
from release.references.pages import PAGES, renewed, stale

from talonone_mcp.core.catalog import Catalog

PART = "<!-- part: made by `python -m release.references` -->\n\n{}\n\n<!-- end of part -->"
STALE = "docs/profiles.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the pages, of which one is stale."""
    for name in PAGES:
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_text((ROOT / name).read_text("utf-8"), "utf-8")
    page = tmp_path / STALE
    page.write_text(page.read_text("utf-8").replace("| `support` |", "| `helpdesk` |"), "utf-8")
    return tmp_path


def test_every_page_is_what_the_code_says() -> None:
    assert [str(path) for path, _ in stale()] == [], "run python -m release.references"


def test_the_check_names_what_is_stale_and_writes_nothing(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (checkout / STALE).read_text("utf-8")

    assert main(["--check"], checkout) == 1

    assert capsys.readouterr().out == f"{STALE}: stale; run python -m release.references\n"
    assert (checkout / STALE).read_text("utf-8") == before


def test_pages_are_renewed_in_place(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], checkout) == 0

    assert capsys.readouterr().out == f"{STALE}: renewed\n"
    assert (checkout / STALE).read_text("utf-8") == (ROOT / STALE).read_text("utf-8")
    assert main(["--check"], checkout) == 0


def test_what_is_written_by_hand_stays(catalog: Catalog) -> None:
    text = f"Before.\n\n{PART.format('old')}\n\nAfter.\n"

    made = renewed(text, {"part": lambda _: ["new", "lines"]}, catalog)

    assert made == text.replace("old", "new\nlines")


@pytest.mark.parametrize("text", ["# Another\n", PART.format("") * 2])
def test_a_page_needs_one_place_for_each_part(text: str, catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="each of these lines once: <!-- part: made by"):
        renewed(text, {"part": lambda _: []}, catalog)


def test_a_page_without_a_place_is_named(checkout: Path) -> None:
    (checkout / STALE).write_text("# Another\n", "utf-8")

    with pytest.raises(ValueError, match=f"^{STALE}: "):
        list(stale(checkout))


def test_a_cell_cannot_end_its_row_or_column() -> None:
    assert list(table(["a", "b"], [["`x|y`", "one\ntwo"]])) == [
        "| a | b |",
        "| --- | --- |",
        r"| `x\|y` | one two |",
    ]
