"""The README is true: what it shows is run, and what it says comes of that is compared.

Each kind of block has one test, which gets every block of that kind: `sh` is executed, `console`
and `text` are compared with what a terminal shows, `json` and `toml` are used. There is no other.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from talonone_mcp.core.errors import Kind
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.terminal import main
from talonone_mcp.terminal.hosts import platform_paths
from tests.homes import FILES
from tests.installed import COMMAND, over_http, over_stdio, run
from tests.terminal import terminal
from tests.upstream import Upstream

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS: list[tuple[str, str]] = FENCED.findall(TEXT)
PROSE = FENCED.sub("", TEXT)
LONG = [
    text for language, text in BLOCKS if language == "sh" and text.startswith("python3 -m venv")
]
# What is of this run alone, and what stands for it.
PASSING = {
    r"\S*talonone-mcp (?=call|install|doctor)": "COMMAND ",
    r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?": "DATE",
    r"\b20\d\d\b": "YEAR",
    r"\b[A-Z]+(-[A-Z0-9]{4,})+\b": "CODE",
    r"\bPlan [0-9a-f]{12}\b": "Plan MARK",
    r"\d+\.\d+": "AMOUNT",
}
pytestmark = pytest.mark.anyio


def of_kind(language: str) -> list[Any]:
    """Return the blocks of one language, each with its first words as its name."""
    blocks = [text for each, text in BLOCKS if each == language and text not in LONG]
    return [pytest.param(text, id=" ".join(text.split()[:4])) for text in blocks]


def lines(text: str) -> list[str]:
    """Return what a text says, without blank lines and without what is of one run alone."""
    for pattern, name in PASSING.items():
        text = re.sub(pattern, name, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def assert_shows(expected: str, shown: str) -> None:
    """Compare what the README shows; a line of three dots stands for any lines."""
    parts = (
        r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in lines(expected)
    )
    said = "".join(f"{line}\n" for line in lines(shown))
    assert re.fullmatch("".join(parts), said), f"The README should show:\n{shown}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A newcomer's home, with this command on the path and Cursor installed."""
    folder = tmp_path_factory.mktemp("newcomer")
    for each in ("bin", ".cursor", "clone"):
        (folder / each).mkdir()
    (folder / "bin" / "talonone-mcp").symlink_to(COMMAND)
    return folder


@pytest.fixture
def environment(home: Path, upstream: Upstream) -> Mapping[str, str]:
    """What the newcomer's terminal has set: the account, which is the sandbox on a port."""
    return {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.defpath}",
        **{
            name: upstream.environment[name] for name in ("TALONONE_BASE_URL", "TALONONE_STATE_DIR")
        },
        "TALONONE_MANAGEMENT_KEY": SANDBOX_KEY,
    }


@pytest.fixture
def made_real(home: Path, upstream: Upstream) -> Iterator[Any]:
    """Puts what there is in the place of what the README's reader has to put there."""
    key = home / "key"
    key.write_text(SANDBOX_KEY)
    key.chmod(0o600)
    known = {
        "/path/to/talonone-mcp/.venv/bin/talonone-mcp": COMMAND,
        "/path/to/a/file/with/the/key": str(key),
        "https://acme.europe-west1.talon.one": upstream.url,
        "KEY-OF-42": SANDBOX_KEY,
        "KEY-OF-43": f"{SANDBOX_KEY}-43",
    }

    def real(text: str) -> str:
        for placeholder, value in known.items():
            text = text.replace(placeholder, value)
        return text

    yield real


async def assert_starts(entry: Mapping[str, Any], home: Path) -> None:
    """Start a server as a host does, which has neither the folder nor the PATH of a terminal."""
    variables = {"HOME": str(home), "PATH": os.defpath, **entry.get("env", {})}
    server = StdioServerParameters(
        command=entry["command"], args=entry["args"], env=variables, cwd="/"
    )
    async with Client(stdio_client(server)) as client:
        answer = await client.call_tool("list_applications", {})
    assert answer.structured_content
    assert [each["id"] for each in answer.structured_content["data"]] == [42, 43]


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {language for language, _ in BLOCKS} == {"sh", "console", "text", "json", "toml"}
    assert TEXT.count("```") == 2 * len(BLOCKS)


def test_the_two_long_commands_are_those_that_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    printed = []
    for ending in ("demo", "pytest"):
        assert f'eval "$(command_of_readme {ending})"' in ci
        script = [sys.executable, str(ROOT / ".ci" / "readme_command.py"), "README.md", ending]
        printed.append(subprocess.check_output(script, cwd=ROOT, text=True))

    assert printed == LONG


@pytest.mark.parametrize("text", of_kind("sh"))
async def test_a_command_does_what_it_is_there_for(
    text: str, home: Path, environment: Mapping[str, str]
) -> None:
    first, *words = shlex.split(text.splitlines()[0])
    if words[:1] == ["serve"]:
        assert words[-2] == "--port"
        with over_http(environment, *words[3:-2]) as url:
            async with Client(url) as client:
                assert (await client.list_tools()).tools
        return

    with anyio.fail_after(60):
        ended = await anyio.run_process(
            ["bash", "-euo", "pipefail", "-c", text],
            env=environment,
            cwd=home / "clone",
            stdin=subprocess.DEVNULL,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (0, b""), first
    if words[:1] == ["install"]:
        file = home / FILES[words[1]][platform_paths.system()]
        await assert_starts(json.loads(file.read_text())["mcpServers"]["talonone"], home)


@pytest.mark.parametrize("text", of_kind("console"))
def test_a_terminal_shows_what_the_readme_shows(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "88")
    monkeypatch.setenv("TALONONE_STATE_DIR", str(tmp_path))
    command, _, shown = text.partition("\n")
    dollar, name, *arguments = shlex.split(command)
    assert (dollar, name) == ("$", "talonone-mcp")

    with terminal(*arguments) as screen:
        for typed in re.findall(r"Type yes: (.*)", shown):
            screen.expect("Type yes: ")
            screen.type(typed)
        _, said = screen.end()

    assert "Traceback" not in said
    assert_shows(shown, screen.text)


@pytest.mark.parametrize("text", of_kind("text"))
def test_the_demo_says_what_the_readme_says(text: str) -> None:
    assert_shows(text, run("demo").stdout)


@pytest.mark.parametrize("text", of_kind("json"))
async def test_a_host_can_use_an_entry_in_json(text: str, home: Path, made_real: Any) -> None:
    [entry] = json.loads(made_real(text))["mcpServers"].values()

    await assert_starts(entry, home)


@pytest.mark.parametrize("text", of_kind("toml"))
async def test_a_host_or_the_server_can_use_a_file_in_toml(
    text: str, home: Path, made_real: Any
) -> None:
    text = made_real(text)
    if "mcp_servers" in tomllib.loads(text):
        [entry] = tomllib.loads(text)["mcp_servers"].values()
    else:
        file = home / "config.toml"
        file.write_text(text)
        file.chmod(0o600)
        (home / "key").replace(home / "management-key")
        examined = run("doctor", "--config", str(file))
        assert (examined.returncode, examined.stderr) == (0, ""), examined.stdout
        entry = {"command": COMMAND, "args": ["serve", "--config", str(file)]}

    await assert_starts(entry, home)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`talonone-mcp (\w[^`]*)`", PROSE))))
def test_a_command_in_the_text_can_be_typed(command: str) -> None:
    for placeholder, value in {"HOST": "cursor", "SHELL": "bash"}.items():
        command = command.replace(placeholder, value)
    try:
        main._options(shlex.split(command))
    except SystemExit as end:
        assert end.code == 0, command  # --help


def test_every_command_has_its_row() -> None:
    rows = re.findall(r"^\| `talonone-mcp (\w+)[^|]*\| (.*) \|$", PROSE, re.MULTILINE)
    commands = {name for name, _ in rows if name != "install"} | {"install", "uninstall"}

    assert commands == {"serve", "demo", *main._ELSEWHERE}


def test_every_kind_of_error_has_its_row() -> None:
    section = PROSE.partition("\n## When something goes wrong\n")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(get_args(Kind))


async def test_every_resource_is_one_that_a_host_is_offered() -> None:
    async with Client(over_stdio({}, "serve", "--sandbox")) as client:
        listed = {str(each.uri) for each in (await client.list_resources()).resources}
        templates = (await client.list_resource_templates()).resource_templates

    offered = listed | {each.uri_template.partition("{?")[0] for each in templates}
    assert set(re.findall(r"^\| `(talonone://[^`]*)` \|", PROSE, re.MULTILINE)) - offered == set()


def test_every_link_leads_somewhere() -> None:
    titles = re.findall(r"^#+ (.*)$", PROSE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\(([^)]+)\)", PROSE):
        path, _, anchor = target.partition("#")
        assert target.startswith("https://") or not path or (ROOT / path).is_file(), target
        assert path or anchor in anchors, target


def test_it_says_first_that_it_is_independent() -> None:
    _, _, opening = TEXT.partition("-->")

    assert opening.strip().startswith("**This project is independent of Talon.One")
