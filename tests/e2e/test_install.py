"""What `install` writes is what a host can start: the installed command, as each file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.homes import FILES, said
from tests.installed import run


def home_of(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user whose home is the folder."""
    moved = ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "GEMINI_CLI_HOME")
    return {"HOME": str(tmp_path), **dict.fromkeys(moved, "")}


@pytest.mark.anyio
@pytest.mark.parametrize("host", FILES)
async def test_a_host_gets_tools_from_what_its_file_says(host: str, tmp_path: Path) -> None:
    installed = run("install", host, "--sandbox", "--force", environment=home_of(tmp_path))
    assert installed.returncode == 0, installed.stderr
    entry = said(host, tmp_path / FILES[host]["linux"])["talonone"]

    # A host has neither the folder nor the PATH of the terminal.
    started = StdioServerParameters(
        command=entry["command"],
        args=entry["args"],
        env={"HOME": str(tmp_path), "PATH": os.defpath, **entry.get("env", {})},
        cwd="/",
    )
    async with Client(stdio_client(started)) as client:
        tools = (await client.list_tools()).tools
        answer = await client.call_tool("list_applications", {})

    assert {"find_operations", "run_operation"} <= {tool.name for tool in tools}
    assert answer.structured_content is not None
    assert answer.structured_content["data"]


def test_it_ends_with_the_file_as_it_was(tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "zed" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('// mine\n{\n  "theme": "One", // dark\n}\n')
    before = settings.read_bytes()

    installed = run("install", "zed", "--sandbox", environment=home_of(tmp_path))
    assert (installed.returncode, installed.stderr) == (0, "")
    assert settings.read_bytes() != before
    removed = run("uninstall", "zed", environment=home_of(tmp_path))

    assert (removed.returncode, removed.stderr) == (0, "")
    assert settings.read_bytes() == before


def test_a_wrong_host_is_one_line_and_status_2(tmp_path: Path) -> None:
    answer = run("install", "vscod", environment=home_of(tmp_path))

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "did you mean vscode?" in answer.stderr
    assert "Traceback" not in answer.stderr
