"""A user's home of one kind of system, in which hosts are installed."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from talonone_mcp.terminal.hosts.platform_paths import Machine, System
from talonone_mcp.terminal.main import read_command_line
from tests.installed import COMMAND

ACCOUNT = "https://acme.europe-west1.talon.one"
SECTIONS = {"vscode": "servers", "codex": "mcp_servers", "zed": "context_servers"}
ENTRY = {"command": COMMAND, "args": ["serve", "--sandbox"]}
# Where each host's own documentation says that its file is.
FILES: dict[str, dict[System, str]] = {
    "claude-desktop": {
        "linux": ".config/Claude/claude_desktop_config.json",
        "macos": "Library/Application Support/Claude/claude_desktop_config.json",
        "windows": "AppData/Roaming/Claude/claude_desktop_config.json",
    },
    "claude-code": dict.fromkeys(("linux", "macos", "windows"), ".claude.json"),
    "cursor": dict.fromkeys(("linux", "macos", "windows"), ".cursor/mcp.json"),
    "vscode": {
        "linux": ".config/Code/User/mcp.json",
        "macos": "Library/Application Support/Code/User/mcp.json",
        "windows": "AppData/Roaming/Code/User/mcp.json",
    },
    "codex": dict.fromkeys(("linux", "macos", "windows"), ".codex/config.toml"),
    "gemini": dict.fromkeys(("linux", "macos", "windows"), ".gemini/settings.json"),
    "windsurf": dict.fromkeys(("linux", "macos", "windows"), ".codeium/windsurf/mcp_config.json"),
    "zed": {
        "linux": ".config/zed/settings.json",
        "macos": ".config/zed/settings.json",
        "windows": "AppData/Roaming/Zed/settings.json",
    },
}
PROJECT_FILES = {
    "claude-code": ".mcp.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".vscode/mcp.json",
    "codex": ".codex/config.toml",
    "gemini": ".gemini/settings.json",
    "zed": ".zed/settings.json",
}
_MOVED = ("XDG_CONFIG_HOME", "FLATPAK_XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA",
          "CODEX_HOME", "CLAUDE_CONFIG_DIR", "GEMINI_CLI_HOME")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What the command answered."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Home:
    """The home, and the terminal in it: `run` takes a command of this room, and a `system`."""

    path: Path
    project: Path
    run: Callable[..., Said]

    def file(self, host: str, system: System = "linux", content: bytes | None = None) -> Path:
        """Return the file of a host, whose folder is made; with content, if that is given."""
        path = self.path / FILES[host][system]
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
        return path


def said(host: str, path: Path) -> dict[str, Any]:
    """Return the servers that a host's file has."""
    text = path.read_text("utf-8")
    document = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    servers: dict[str, Any] = document[SECTIONS.get(host, "mcpServers")]
    return servers


def kept(path: Path) -> list[Path]:
    """Return the backups of a file, the oldest first."""
    return sorted(path.parent.glob(f"{path.name}.talonone-*.bak"))


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Home]:
    """A Linux user's home, unless a test says otherwise; no host's command is on the path."""
    for name in [*_MOVED, *os.environ]:
        if name in _MOVED or name.startswith(("TALONONE_", "CAPILLARY_")):
            monkeypatch.delenv(name, raising=False)
    folder, project = tmp_path / "home", tmp_path / "project"
    for each in (folder, project):
        each.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("PATH", str(tmp_path / "no-commands"))
    monkeypatch.chdir(project)

    def run(*arguments: str, system: System = "linux") -> Said:
        try:
            options = read_command_line(arguments)
            status = options.run(options, Machine(system, os.environ, Path.cwd()))
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return Said(status, out, err)

    yield Home(folder, project, run)
