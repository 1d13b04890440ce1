"""README and the pages in `docs/` are true: what they show is run, and its outcome is compared.

Each kind of block has one test, which gets every block of that kind: `sh` is executed, `console`
and `text` are compared with what a terminal shows, `json`, `toml`, `yaml` and `markdown` are used.
There is no other.
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
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from talonone_mcp.core.errors import Kind
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.terminal import main
from talonone_mcp.terminal.hosts.platform_paths import this_machine
from tests.homes import FILES
from tests.installed import COMMAND, over_http, over_stdio, run
from tests.terminal import terminal
from tests.upstream import Upstream

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN_HERE = {
    "docs/architecture.md",  # its blocks are pictures
    "docs/packages.md",  # .ci/run runs its blocks, but for those that need a container engine
}
PAGES = {
    name: path.read_text("utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if (name := path.relative_to(ROOT).as_posix()) not in NOT_RUN_HERE
}
BLOCKS: list[tuple[str, str, str]] = [
    (page, language, block)
    for page, text in PAGES.items()
    for language, block in FENCED.findall(text)
]
PROSE = {page: FENCED.sub("", text) for page, text in PAGES.items()}
LONG = [
    text
    for page, language, text in BLOCKS
    if (page, language) == ("README.md", "sh") and text.startswith("python3 -m venv")
]
SERVING = re.compile(r"^talonone-mcp (?:serve|sandbox)\b.*$", re.MULTILINE)  # until interrupted
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
    """Return the blocks of one language, each with its page and its first words as its name."""
    return [
        pytest.param(text, id=f"{page}: {' '.join(text.split()[:4])}")
        for page, each, text in BLOCKS
        if each == language and text not in LONG and not SERVING.search(text)
    ]


def servers() -> list[str]:
    """Return the commands that serve until they are interrupted, a line each."""
    texts = [text for _, language, text in BLOCKS if language == "sh"]
    return [line.partition("  #")[0].strip() for text in texts for line in SERVING.findall(text)]


def lines(text: str) -> list[str]:
    """Return what a text says, without blank lines and without what is of one run alone."""
    for pattern, name in PASSING.items():
        text = re.sub(pattern, name, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def assert_shows(expected: str, shown: str) -> None:
    """Compare what a page shows; a line of three dots stands for any lines."""
    parts = (
        r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in lines(expected)
    )
    said = "".join(f"{line}\n" for line in lines(shown))
    assert re.fullmatch("".join(parts), said), f"The page should show:\n{shown}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A newcomer's home, with this command on the path and Cursor installed."""
    folder = tmp_path_factory.mktemp("newcomer")
    for each in ("bin", ".cursor", "clone"):
        (folder / each).mkdir()
    (folder / "bin" / "talonone-mcp").symlink_to(COMMAND)
    return folder


@pytest.fixture
def environment(home: Path, key: Path, upstream: Upstream) -> Mapping[str, str]:
    """What the newcomer's terminal has set: the account, which is the sandbox on a port."""
    return {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.defpath}",
        **{
            name: upstream.environment[name] for name in ("TALONONE_BASE_URL", "TALONONE_STATE_DIR")
        },
        "TALONONE_MANAGEMENT_KEY_FILE": str(key),
    }


@pytest.fixture
def key(home: Path) -> Path:
    """A file with the key, for its owner alone."""
    path = home / "key"
    path.write_text(SANDBOX_KEY)
    path.chmod(0o600)
    return path


@pytest.fixture
def made_real(key: Path, upstream: Upstream) -> Iterator[Any]:
    """Puts what there is in the place of what the reader has to put there."""
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
    kinds = {"sh", "console", "text", "json", "toml", "yaml", "markdown"}
    assert {language for _, language, _ in BLOCKS} == kinds
    assert sum(text.count("```") for text in PAGES.values()) == 2 * len(BLOCKS)


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
    text: str, home: Path, environment: Mapping[str, str], made_real: Any
) -> None:
    with anyio.fail_after(60):
        ended = await anyio.run_process(
            ["bash", "-euo", "pipefail", "-c", made_real(text)],
            env=environment,
            cwd=home / "clone",
            stdin=subprocess.DEVNULL,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (0, b""), ended.stdout
    for host in re.findall(r"^talonone-mcp install (\S+)", text, re.MULTILINE):
        file = home / FILES[host][this_machine().system]
        await assert_starts(json.loads(file.read_text())["mcpServers"]["talonone"], home)


@pytest.mark.parametrize("command", servers())
async def test_a_server_serves(
    command: str, environment: Mapping[str, str], tmp_path: Path
) -> None:
    """On a free port; a large account would take a minute or two to fill."""
    command = re.sub(r" --port \d+", "", command).replace("--scale 2000", "--scale 2")
    _, name, *words = shlex.split(command)
    if name == "sandbox":
        with sandbox(*words, cwd=tmp_path) as url:
            account = dict(environment) | {"TALONONE_BASE_URL": url}
            server = over_stdio(account, "serve")
            async with Client(server) as client:
                assert not (await client.call_tool("list_applications", {})).is_error
    elif words[:2] == ["--transport", "http"]:
        with over_http(environment, *words[2:]) as url:
            async with Client(url) as client:
                assert (await client.list_tools()).tools
    else:
        async with Client(over_stdio({}, name, *words)) as client:
            assert (await client.list_tools()).tools


@contextmanager
def sandbox(*arguments: str, cwd: Path) -> Iterator[str]:
    """Start the sandbox on a free port, and yield its URL."""
    process = subprocess.Popen(
        [COMMAND, "sandbox", "--port", "0", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        yield next(word for word in said.split() if word.startswith("http")).rstrip(",")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("text", of_kind("console"))
def test_a_terminal_shows_what_the_page_shows(
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


@pytest.fixture(scope="module")
def demo() -> str:
    """What the demo prints."""
    return run("demo").stdout


@pytest.mark.parametrize("text", of_kind("text"))
def test_the_demo_says_what_the_page_says(text: str, demo: str) -> None:
    assert_shows(text, demo)


@pytest.mark.parametrize("text", of_kind("markdown"))
async def test_a_prompt_of_ones_own_is_offered(text: str, tmp_path: Path) -> None:
    [name] = re.findall(r"^name: (\w+)", text, re.MULTILINE)
    (tmp_path / f"{name}.md").write_text(text, "utf-8")

    async with Client(over_stdio({}, "serve", "--sandbox", "--prompts", str(tmp_path))) as client:
        answer = await client.get_prompt(name, {"customer": "anna.schmidt"})

    assert "anna.schmidt" in str(answer.messages)


@pytest.mark.parametrize("text", of_kind("yaml"))
def test_a_policy_in_yaml_can_be_used(text: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(text, "utf-8")

    named = {"TALONONE_POLICY_FILE": str(tmp_path / "policy.yaml")}

    shown = run("policy", "show", environment=named)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "(policy.yaml line 1)" in shown.stdout


@pytest.mark.parametrize("text", of_kind("json"))
async def test_a_host_can_use_an_entry_in_json(text: str, home: Path, made_real: Any) -> None:
    [entry] = json.loads(made_real(text))["mcpServers"].values()

    await assert_starts(entry, home)


@pytest.mark.parametrize("text", of_kind("toml"))
async def test_a_host_or_the_server_can_use_a_file_in_toml(
    text: str, home: Path, key: Path, made_real: Any
) -> None:
    text = made_real(text)
    if "mcp_servers" in tomllib.loads(text):
        [entry] = tomllib.loads(text)["mcp_servers"].values()
    else:
        file = home / "config.toml"
        file.write_text(text)
        file.chmod(0o600)
        await anyio.Path(key).rename(home / "management-key")
        examined = run("doctor", "--config", str(file))
        assert (examined.returncode, examined.stderr) == (0, ""), examined.stdout
        entry = {"command": COMMAND, "args": ["serve", "--config", str(file)]}

    await assert_starts(entry, home)


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"`talonone-mcp (\w[^`]*)`", "\n".join(PROSE.values()))))
)
def test_a_command_in_the_text_can_be_typed(command: str) -> None:
    for placeholder, value in {"HOST": "cursor", "SHELL": "bash"}.items():
        command = command.replace(placeholder, value)
    try:
        main.read_command_line(shlex.split(command))
    except SystemExit as end:
        assert end.code == 0, command  # --help


def test_every_command_has_its_row() -> None:
    rows = re.findall(
        r"^\| `talonone-mcp (\w+)[^|]*\| (.*) \|$", PROSE["docs/terminal.md"], re.MULTILINE
    )
    commands = {name for name, _ in rows if name != "install"} | {"install", "uninstall"}

    assert commands == {"serve", "demo", *main.COMMANDS}


def test_every_kind_of_error_has_its_row() -> None:
    kinds = re.findall(r"^\| `(\w+)` \|", PROSE["docs/errors.md"], re.MULTILINE)

    assert sorted(kinds) == sorted(get_args(Kind))


async def test_every_resource_that_a_host_is_offered_has_its_row() -> None:
    async with Client(over_stdio({}, "serve", "--sandbox")) as client:
        listed = {str(each.uri) for each in (await client.list_resources()).resources}
        templates = (await client.list_resource_templates()).resource_templates
    rows = re.findall(r"^\| `(talonone://[^`]*)` \|", PROSE["docs/resources.md"], re.MULTILINE)
    described = {uri.partition("{?")[0] for uri in rows}
    templated = {each.uri_template.partition("{?")[0] for each in templates}

    assert templated - described == set()
    assert described - templated - listed == set()


def test_it_says_first_that_it_is_independent() -> None:
    _, _, opening = PAGES["README.md"].partition("-->")

    assert opening.strip().startswith("**This project is independent of Talon.One")
