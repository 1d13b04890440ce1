"""A person's own prompt files: what is wrong with one is named, and the rest is offered."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.server import prompts
from talonone_mcp.server.prompts.own_prompts import LARGEST, MOST
from talonone_mcp.server.prompts.prompt_parser import parsed

TOOLS = {"get_campaign", "find_customer"}
GOOD = """---
name: greet
title: Greet
description: Greet a customer.
arguments:
  - name: customer
    description: Who.
    required: true
  - {name: letter, description: What they wrote., text: true}
tools:
  - get_campaign
resources: [talonone://applications]
---
Greet {customer}.

{letter|They wrote nothing.}
"""


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def said(caplog: pytest.LogCaptureFixture, folder: Path) -> list[str]:
    with caplog.at_level(logging.WARNING):
        prompts.offered(folder, TOOLS)
    return [record.getMessage().removeprefix("talonone-mcp: ") for record in caplog.records]


WRONG = {
    "no front matter": ("Greet.", 1, "does not begin with front matter"),
    "front matter without an end": ("---\nname: greet\n", 1, "does not begin"),
    "broken YAML": (changed("title: Greet", "title: [Greet"), 4, "the front matter: "),
    "a tab": (changed("title: Greet", "\ttitle: Greet"), 3, "the front matter: "),
    "a tag that runs code": (
        changed("title: Greet", "title: !!python/object/apply:os.system [ls]"),
        3, "could not determine a constructor",
    ),
    "a list": ("---\n- greet\n---\nGreet.\n", 2, "must be keys and values"),
    "nothing in it": ("---\n\n---\nGreet.\n", 2, "must be keys and values"),
    "an unknown key": (changed("title:", "titel:"), 3, "no key titel; did you mean title?"),
    "no title": (changed("title: Greet\n", ""), 2, "title is missing"),
    "a title that is a number": (changed("title: Greet", "title: 12"), 3, "title must be text"),
    "another name": (changed("name: greet", "name: hello"), 2, "name must match the file's"),
    "a name twice": (changed("title: Greet", "name: greet\ntitle: Greet"), 3, "name appears twice"),
    "an argument's key twice": (
        changed("    required: true", "    name: customer\n    required: true"),
        8, "name appears twice here",
    ),
    "arguments that are no list": (
        "---\nname: greet\ntitle: A\ndescription: B\narguments: {a: b}\n---\nGreet.\n",
        5, "arguments must be a list",
    ),
    "an argument that is text": (
        changed("  - {name: letter, description: What they wrote., text: true}", "  - letter"),
        9, "an argument must be keys and values",
    ),
    "an argument without description": (
        changed("    description: Who.\n", ""), 6, "description is missing",
    ),
    "an argument twice": (
        changed("{name: letter,", "{name: customer,"), 9, "two arguments are named customer",
    ),
    "an argument of odd name": (changed("name: letter,", "name: A-b,"), 9, "lower-case letters"),
    "required in words": (changed("required: true", "required: often"), 8, "must be true or false"),
    "an unknown completion": (
        changed("required: true", "complete: shop"), 8, "complete must be one of application,",
    ),
    "values that are numbers": (changed("required: true", "values: [7]"), 8, "a list of texts"),
    "two completions": (
        changed("required: true", "values: [a]\n    complete: campaign"), 8, "not both",
    ),
    "an unknown tool": (
        changed("  - get_campaign", "  - get_campain"), 11,
        "no tool get_campain; did you mean get_campaign?",
    ),
    "a tool twice": (
        changed("  - get_campaign", "  - get_campaign\n  - get_campaign"), 12,
        "get_campaign appears twice in tools",
    ),
    "a tool that is none": (changed("  - get_campaign", "  - {a: b}"), 11, "must be text"),
    "another's resource": (
        changed("[talonone://applications]", "[file:///etc/passwd]"), 12, "must be one of ours",
    ),
    "a resource of no argument": (
        changed("[talonone://applications]", '["talonone://applications/{application}"]'),
        12, "there is no argument application",
    ),
    "a resource with a brace": (
        changed("[talonone://applications]", '["talonone://applications/{customer"]'),
        12, "an unmatched brace",
    ),
    "an unknown argument": (changed("{customer}", "{customr}"), 14, "no argument customr"),
    "an unknown argument with a fallback": (
        changed("{letter|They", "{leter|They"), 16, "no argument leter",
    ),
    "an unknown argument with what cannot be seen in it": (
        changed("{customer}", "{custo\u200bmr}"), 14, "no argument customr",
    ),
    "a text within a line": (
        changed("Greet {customer}.", "Greet {letter} {customer}."), 14, "letter may have several",
    ),
    "no text": (GOOD.partition("Greet {")[0], 14, "no text below the front matter"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "problem"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_file_and_line(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, text: str, line: int, problem: str
) -> None:
    (tmp_path / "greet.md").write_text(text)

    [first, *_] = said(caplog, tmp_path)

    assert first.startswith(f"--prompts: greet.md: line {line}: ")
    assert problem in first
    assert "greet" not in prompts.offered(tmp_path, TOOLS)


def test_everything_that_is_wrong_is_named_at_once(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    text = changed("  - get_campaign", "  - get_campain").replace("{customer}", "{customr}")
    (tmp_path / "greet.md").write_text(text)
    (tmp_path / "hello.md").write_text("Hello.")

    assert [line.split(": ")[1:3] for line in said(caplog, tmp_path)] == [
        ["greet.md", "line 11"], ["greet.md", "line 14"], ["hello.md", "line 1"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        GOOD, GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, GOOD + "\n---\nMore.\n",
        GOOD.replace("tools:\n  - get_campaign\nresources: [talonone://applications]\n", ""),
        GOOD.replace("Greet {customer}.", "Greet {customer}. {{name}} { x } {a:b} {}"),
    ],
)  # fmt: skip
def test_a_file_in_order_is_offered_and_nothing_said(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, text: str
) -> None:
    (tmp_path / "greet.md").write_bytes(text.encode())

    assert said(caplog, tmp_path) == []
    prompt = prompts.offered(tmp_path, TOOLS)["greet"]
    assert prompt.own
    assert prompt.render({"customer": "Ann"}).startswith('Greet "Ann".')


def test_what_cannot_be_seen_in_a_file_reaches_no_model(tmp_path: Path) -> None:
    hidden = changed("Greet {customer}.", "Greet \u202e{customer}\U000e0041.\u200b")
    (tmp_path / "greet.md").write_text(hidden.replace("title: Greet", "title: Gr\u200beet"))

    prompt = prompts.offered(tmp_path, TOOLS)["greet"]

    assert prompt.title == "Greet"
    assert prompt.render({"customer": "Ann"}).startswith('Greet "Ann".')


def test_of_two_prompts_of_one_name_the_person_s_counts(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "audit_access.md").write_text(changed("name: greet", "name: audit_access"))

    assert said(caplog, tmp_path) == ["--prompts: audit_access.md replaces our prompt audit_access"]
    offered = prompts.offered(tmp_path, TOOLS)
    assert offered["audit_access"].title == "Greet"
    assert list(offered) == sorted(prompts.load())


def link_out(file: Path) -> None:
    secret = file.parents[1] / "secret"
    secret.write_text(GOOD)
    file.symlink_to(secret)


def link_through_a_folder(file: Path) -> None:
    link_out(file.with_name("through"))
    file.symlink_to("through")


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link out of the folder": (link_out, "leads out of the folder"),
    "a link to such a link": (link_through_a_folder, "leads out of the folder"),
    "a link to nothing": (lambda file: file.symlink_to("nothing"), "cannot be read: No such file"),
    "a link to itself": (lambda file: file.symlink_to(file.name), "cannot be read: "),
    "a folder": (lambda file: file.mkdir(), "cannot be read: Is a directory"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "too much": (lambda file: file.write_text(GOOD + "x" * LARGEST), "more than 65,536 bytes"),
    "no UTF-8": (
        lambda file: file.write_bytes(GOOD.encode().replace(b"Who", b"W\xff")),
        "line 7: it is not UTF-8 text",
    ),
    "nothing": (lambda file: file.write_text("\n"), "it is empty"),
    "YAML without end": (
        lambda file: file.write_text(f"---\nname: {'[' * 5000}\n---\nGreet.\n"),
        "the front matter: ",
    ),
    "YAML within itself": (
        lambda file: file.write_text("---\nname: greet\narguments: &a [*a]\n---\nGreet.\n"),
        "an argument must be keys and values",
    ),
    "YAML that grows": (
        lambda file: file.write_text(
            "---\na: &a [x, x]\n"
            + "".join(
                f"{chr(i + 1)}: &{chr(i + 1)} [{f'*{chr(i)}, ' * 9}]\n" for i in range(97, 121)
            )
            + "---\nGreet.\n"
        ),
        "there is no key a",
    ),
}


@pytest.mark.parametrize(("make", "problem"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_offered(
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    make: Callable[[Path], object],
    problem: str,
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "greet.md").write_text(GOOD)
    make(folder / "bad.md")

    lines = said(caplog, folder)

    assert all(line.startswith("--prompts: bad.md: ") for line in lines)
    assert any(problem in line for line in lines)
    assert prompts.offered(folder, TOOLS).keys() - prompts.load().keys() == {"greet"}


def test_a_file_s_name_is_said_on_one_line(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "a\nserving http on b\x1b[31m.md").write_text("Nothing.")

    [line] = said(caplog, tmp_path)

    assert line.startswith("--prompts: a serving http on b[31m.md: line 1: ")


def test_a_link_within_the_folder_is_followed(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one").write_text(GOOD)
    (tmp_path / "greet.md").symlink_to("texts/one")

    assert said(caplog, tmp_path) == []
    assert "greet" in prompts.offered(tmp_path, TOOLS)


def test_what_is_no_prompt_file_is_left_alone(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for name in ("README.md", "readme.md", ".hidden.md", "notes.txt", "greet.md~"):
        (tmp_path / name).write_text("Nothing.")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "greet.md").write_text("Nothing.")

    assert said(caplog, tmp_path) == []
    assert prompts.offered(tmp_path, TOOLS) == prompts.load()


def test_no_more_than_so_many_files_are_read(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for number in range(MOST + 1):
        name = f"greet_{number:03}"
        (tmp_path / f"{name}.md").write_text(changed("name: greet", f"name: {name}"))

    assert said(caplog, tmp_path) == [
        f"--prompts: {tmp_path}: it has {MOST + 1} files; the first {MOST} are read"
    ]
    assert len(prompts.offered(tmp_path, TOOLS)) == len(prompts.load()) + MOST


PIECES = [
    "---\n", "name: greet\n", "title: Greet\n", "description: x\n", "arguments:\n", "- ",
    "  - name: a\n", "    description: b\n", "tools: [get_campaign]\n", "{a|b}", "{a}", "[", "&x ",
    "*x", ": ", "\n", "? ", "!!binary ", "2026-01-01\n", "\x00", "{{a}}", "~\n",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_whatever_stands_in_a_file_it_is_a_prompt_or_named(text: str) -> None:
    record, problems = parsed(text, "greet.md", TOOLS)

    assert (record is None) == bool(problems)
    assert all(problem.startswith("greet.md: line ") for problem in problems)
    if record:
        assert prompts.Prompt.from_compiled(record).name == "greet"
