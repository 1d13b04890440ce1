"""`talonone-mcp tools` and `completion`: what can be called, for people, scripts and shells."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.terminal.main import main
from tests.installed import COMMAND
from tests.terminal import terminal


def test_a_pipe_gets_every_tool_with_its_schema(
    catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tools"]) == 0

    listed = json.loads(capsys.readouterr().out)
    assert [tool["name"] for tool in listed] == [tool.name for tool in catalog.tools]
    assert listed[-1]["inputSchema"] == catalog.tools[-1].input_schema


def test_a_toolset_and_a_search_narrow_the_list(
    catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tools", "--toolset", "loyalty_cards"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert main(["tools", "--search", "lost card", "--toolset", "loyalty_cards"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert {tool["toolset"] for tool in cards} == {"loyalty_cards"}
    assert found[0]["name"] == "transfer_loyalty_card"
    assert len(found) <= 10 < len(cards)


def test_one_is_explained_with_every_argument(
    catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tools", "transfer_loyalty_card"]) == 0

    out = capsys.readouterr().out
    assert "Impact, by which a person may have to confirm it: takes" in out
    arguments = [line.split(":")[0].strip(" ?") for line in out.splitlines() if line[:2] == "  "]
    assert set(arguments) == set(
        catalog.operations["transfer_loyalty_card"].input_schema["properties"]
    )


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["--toolset", "cupons"], 2, "there is no toolset 'cupons', only "),
        (["get_campain"], 2, "the nearest are get_campaign or "),
        (["--search", "xyzzy"], 1, "nothing matches"),
    ],
)
def test_what_is_not_there_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, complaint: str
) -> None:
    assert main(["tools", *arguments]) == status
    assert complaint in capsys.readouterr().err


def test_people_get_a_table() -> None:
    with terminal("tools", "--toolset", "campaigns") as person:
        status, err = person.end()

    assert (status, err) == (0, "")
    assert person.text.split()[:2] == ["name", "risk"]
    assert "update_campaign " in person.shown


# --- Shells --------------------------------------------------------------------------------------

_BASH = """
eval "$(talonone-mcp completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete talonone-mcp
printf '%s\\n' "${COMPREPLY[@]}"
"""
_ZSH = """
autoload -Uz compinit && compinit -u -D
_describe() { print -l -- $completions }
eval "$(talonone-mcp completion zsh)"
BUFFER=$1 CURSOR=${#1} words=(${=1})
_python_argcomplete
"""
_FISH = """
talonone-mcp completion fish | source
complete -C $argv[1]
"""


def completed(shell: str, line: str) -> list[str]:
    """Return what a shell offers after a line."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    script = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}[shell]
    arguments = {"bash": ["--norc", "-c", script, "bash"], "zsh": ["-f", "-c", script, "zsh"],
                 "fish": ["--no-config", "-c", script]}[shell]  # fmt: skip
    path = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
    shown = subprocess.run(
        [shell, *arguments, line],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    # zsh and fish have a description beside each, after a colon or a tab.
    return [re.split("[:\t]", each)[0].strip() for each in shown.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="these are shells of Unix")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("talonone-mcp ca", {"call"}),
        ("talonone-mcp call get_loyalty_pr", {"get_loyalty_program"}),
        ("talonone-mcp policy explain get_loyalty_pr", {"get_loyalty_program"}),
        ("talonone-mcp call get_campaign applicationId=42 cam", {"campaignId="}),
        ("talonone-mcp tools --toolset loyalty_", {"loyalty_cards"}),
    ],
)
def test_a_shell_completes_what_the_catalog_knows(shell: str, line: str, offered: set[str]) -> None:
    assert set(completed(shell, line)) == offered


def test_values_that_are_few_are_offered() -> None:
    line = "talonone-mcp call list_campaigns campaignState=arc"

    assert completed("bash", line) == ["archived"]
