"""The guided conversations: found, complete, and filled in."""

from pathlib import Path

import pytest

from talonone_mcp import prompts
from talonone_mcp.catalog import Catalog
from talonone_mcp.prompts import PromptError, compile_prompts

GOOD = """---
name: greet
title: Greet
description: Greet a customer.
arguments:
  - {name: customer, description: Who., required: true}
  - {name: mood, description: How.}
tools: [get_campaign]
---
Greet {customer}, {mood|as you like}.
"""


def compiled(folder: Path, text: str) -> prompts.Prompt:
    (folder / "greet.md").write_text(text)
    [record] = compile_prompts(folder)
    return prompts.Prompt.from_compiled(record)


def test_every_prompt_leans_on_tools_that_there_are(catalog: Catalog) -> None:
    for prompt in prompts.load().values():
        assert prompt.tools
        assert [name for name in prompt.tools if name not in catalog.operations] == []
        assert all(name in prompt.template for name in prompt.tools)


def test_what_the_person_entered_is_filled_in(tmp_path: Path) -> None:
    prompt = compiled(tmp_path, GOOD)

    assert prompt.render({"customer": " Ann\u202e "}) == "Greet Ann, as you like."
    assert prompt.render({"customer": "{mood}", "mood": "warmly"}) == "Greet {mood}, warmly."


@pytest.mark.parametrize(
    ("entered", "problem"),
    [({}, "needs customer"), ({"customer": " "}, "needs customer"),
     ({"customer": "Ann", "colour": "red"}, "has no colour")],
)  # fmt: skip
def test_what_cannot_be_filled_in(tmp_path: Path, entered: dict[str, str], problem: str) -> None:
    with pytest.raises(PromptError, match=problem):
        compiled(tmp_path, GOOD).render(entered)


@pytest.mark.parametrize(
    "text",
    ["no front matter", "---\nname: x\n---\n", "---\n: [\n---\ntext", "---\n- a\n---\ntext",
     GOOD.replace("description: Who., ", "")],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(PromptError, match=r"greet\.md"):
        compiled(tmp_path, text)
