"""`talonone-mcp install`: which file it writes for which host, and that the rest of it stays."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path

import pytest

from talonone_mcp.terminal.hosts.platform_paths import System
from tests.homes import ACCOUNT, ENTRY, FILES, PROJECT_FILES, Home, home, kept, said
from tests.installed import COMMAND

__all__ = ["home"]

FIXED = {"zed": {"source": "custom"}} | {
    host: {"type": "stdio"} for host in ("claude-code", "cursor", "vscode")
}


@pytest.mark.parametrize("system", ["linux", "macos", "windows"])
@pytest.mark.parametrize("host", FILES)
def test_the_entry_stands_in_the_file_of_the_host(
    home: Home, host: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME" if system == "windows" else "USERPROFILE", str(home.project))
    path = home.file(host, system)
    if host == "claude-code":
        (home.path / ".claude").mkdir()

    answer = home.run("install", host, "--sandbox", system=system)

    assert (answer.status, answer.err) == (0, "")
    assert str(path) in answer.out
    assert said(host, path) == {"talonone": FIXED.get(host, {}) | ENTRY}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "moved",
    [
        ("claude-code", "linux", "CLAUDE_CONFIG_DIR", ".claude.json"),
        ("codex", "macos", "CODEX_HOME", "config.toml"),
        ("gemini", "linux", "GEMINI_CLI_HOME", ".gemini/settings.json"),
        ("vscode", "linux", "XDG_CONFIG_HOME", "Code/User/mcp.json"),
        ("vscode", "windows", "APPDATA", "Code/User/mcp.json"),
        ("zed", "linux", "XDG_CONFIG_HOME", "zed/settings.json"),
        ("zed", "linux", "FLATPAK_XDG_CONFIG_HOME", "zed/settings.json"),
        (
            "claude-desktop",
            "windows",
            "LOCALAPPDATA",
            "Packages/Claude_pzs8sx/LocalCache/Roaming/Claude/claude_desktop_config.json",
        ),
    ],
)
def test_a_variable_moves_the_file(
    home: Home, moved: tuple[str, System, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, system, variable, file = moved
    folder = home.project / "moved"
    monkeypatch.setenv(variable, str(folder))
    home.file(host, system)
    path = folder / file
    path.parent.mkdir(parents=True)

    assert home.run("install", host, "--sandbox", system=system).status == 0
    assert "talonone" in said(host, path)


def test_a_variable_without_a_full_path_counts_for_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    path = home.file("zed")

    home.run("install", "zed", "--sandbox")

    assert path.exists()


def test_of_several_packages_of_claude_the_one_with_a_file_counts(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALAPPDATA", str(home.path / "AppData" / "Local"))
    packages = home.path / "AppData" / "Local" / "Packages"
    old, used = (
        packages / f"Claude_{each}" / "LocalCache/Roaming/Claude/claude_desktop_config.json"
        for each in "ab"
    )
    old.parent.mkdir(parents=True)
    used.parent.mkdir(parents=True)
    used.write_text("{}")

    home.run("install", "claude-desktop", "--sandbox", system="windows")

    assert "talonone" in said("claude-desktop", used)
    assert not old.exists()


@pytest.mark.parametrize("host", PROJECT_FILES)
def test_a_project_has_a_file_of_its_own(home: Home, host: str) -> None:
    path = home.project / PROJECT_FILES[host]

    assert home.run("install", host, "--sandbox", "--project").status == 0
    assert said(host, path)["talonone"]["args"] == ENTRY["args"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644

    assert home.run("uninstall", host, "--project").status == 0
    assert list(home.project.iterdir()) == []


@pytest.mark.parametrize("host", sorted(FILES.keys() - PROJECT_FILES.keys()))
def test_a_host_without_project_files_says_so(home: Home, host: str) -> None:
    answer = home.run("install", host, "--sandbox", "--project")

    assert answer.status == 1
    assert "--project" in answer.err


@pytest.mark.parametrize(
    ("host", "before", "after"),
    [
        pytest.param(
            "zed",
            '// mine\n{\n\t"theme": "One", // dark\n}\n',
            '// mine\n{\n\t"theme": "One", // dark\n\t"context_servers": {\n\t\t"talonone": {\n'
            '\t\t\t"source": "custom",\n\t\t\t"command": COMMAND,\n\t\t\t"args": ["serve",'
            ' "--sandbox"]\n\t\t}\n\t},\n}\n',
            id="comments, tabs and a trailing comma",
        ),
        pytest.param(
            "windsurf",
            '\ufeff{\r\n    "mcpServers": {\r\n        "a": {} // first\r\n    }\r\n}',
            '\ufeff{\r\n    "mcpServers": {\r\n        "a": {}, // first\r\n'
            '        "talonone": {\r\n            "command": COMMAND,\r\n'
            '            "args": ["serve", "--sandbox"]\r\n        }\r\n    }\r\n}',
            id="a byte order mark, CRLF and a comment on the last line",
        ),
        pytest.param(
            "windsurf",
            f'{{"a": {"9" * 5000}, "b": "\\ud800"}}',
            f'{{"a": {"9" * 5000}, "b": "\\ud800", "mcpServers": {{"talonone": {{"command":'
            ' COMMAND, "args": ["serve", "--sandbox"]}}}',
            id="a number and a text that Python does not read",
        ),
        pytest.param(
            "claude-code",
            '{"numStartups":3,"mcpServers":{}}',
            '{"numStartups":3,"mcpServers":{"talonone": {"type": "stdio", "command": COMMAND,'
            ' "args": ["serve", "--sandbox"]}}}',
            id="one line",
        ),
        pytest.param(
            "codex",
            'model = "gpt-5"  # mine\n\n[mcp_servers.docs]\ncommand = "docs"',
            'model = "gpt-5"  # mine\n\n[mcp_servers.docs]\ncommand = "docs"\n\n'
            '[mcp_servers.talonone]\ncommand = COMMAND\nargs = ["serve", "--sandbox"]\n',
            id="TOML",
        ),
        pytest.param(
            "codex",
            "a = 1\r\n",
            "a = 1\r\n\r\n[mcp_servers.talonone]\r\ncommand = COMMAND\r\n"
            'args = ["serve", "--sandbox"]\r\n',
            id="TOML with CRLF",
        ),
    ],
)
def test_every_other_byte_stays(home: Home, host: str, before: str, after: str) -> None:
    path = home.file(host, content=before.encode())

    assert home.run("install", host, "--sandbox").status == 0
    assert path.read_bytes().decode() == after.replace("COMMAND", json.dumps(COMMAND))

    assert home.run("uninstall", host).status == 0
    assert path.read_bytes().decode() == before


def test_what_a_file_was_is_kept_beside_it_with_its_permissions(home: Home) -> None:
    path = home.file("cursor", content=b'{"mcpServers": {}}')
    path.chmod(0o640)

    answer = home.run("install", "cursor", "--sandbox")

    [backup] = kept(path)
    assert str(backup) in answer.out
    assert backup.read_bytes() == b'{"mcpServers": {}}'
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, backup)] == [0o640, 0o640]
    assert sorted(path.parent.iterdir()) == sorted([path, backup])


def written(path: Path) -> tuple[int, int, bytes]:
    """Return which file it is, when it was written, and what it holds; reading changes none."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, path.read_bytes()


@pytest.mark.parametrize("host", ["cursor", "vscode", "codex"])
def test_installing_again_changes_nothing(
    home: Home, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALONONE_BASE_URL", ACCOUNT)
    path = home.file(host)
    home.run("install", host)
    before = written(path)

    answer = home.run("install", host)

    assert answer.status == 0
    assert "already" in answer.out
    assert written(path) == before
    assert kept(path) == []


def test_installing_anew_keeps_what_others_added_to_the_entry(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALONONE_BASE_URL", ACCOUNT)
    path = home.file("windsurf")
    home.run("install", "windsurf")
    edited = json.loads(path.read_text())
    edited["mcpServers"]["talonone"] |= {
        "command": "/old/talonone-mcp",
        "disabled": True,
        "note": "\ud800",
    }
    edited["mcpServers"]["talonone"]["env"]["HTTPS_PROXY"] = "http://proxy"
    path.write_text(json.dumps(edited))
    monkeypatch.delenv("TALONONE_BASE_URL")

    answer = home.run("install", "windsurf", "--sandbox")

    assert said("windsurf", path)["talonone"] == {
        **ENTRY,
        "env": {"HTTPS_PROXY": "http://proxy"},
        "disabled": True,
        "note": "\ud800",
    }
    assert "No longer set there: TALONONE_BASE_URL" in answer.out
    assert len(kept(path)) == 1


def test_the_flags_of_serve_become_arguments(home: Home) -> None:
    path = home.file("cursor")
    flags = ["--sandbox", "--profile support", "--toolsets coupons,loyalty", "--read-only",
             "--confirm approve"]  # fmt: skip

    home.run("install", "cursor", *" ".join(flags).split(), "--name", "shop-1")

    first, *words = said("cursor", path)["shop-1"]["args"]
    assert first == "serve"
    assert sorted(f"--{each.strip()}" for each in " ".join(words).split("--")[1:]) == sorted(flags)


def test_the_command_is_the_one_that_was_typed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    link = home.path / "bin" / "talonone-mcp"
    link.parent.mkdir()
    link.symlink_to(COMMAND)  # as pipx makes one, which stays when the installation is renewed
    path = home.file("windsurf")
    monkeypatch.setattr(sys, "argv", [os.path.relpath(link), "install"])

    home.run("install", "windsurf", "--sandbox")

    assert said("windsurf", path)["talonone"] == ENTRY | {"command": str(link)}
    monkeypatch.setattr(sys, "argv", ["talonone-mcp", "install"])
    monkeypatch.setenv("PATH", str(link.parent))
    assert "already" in home.run("install", "windsurf", "--sandbox").out


def test_a_module_without_its_script_is_started_as_a_module(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = home.path / "python" / "python3"
    monkeypatch.setattr(sys, "executable", str(python))
    path = home.file("windsurf")

    home.run("install", "windsurf", "--sandbox")

    assert said("windsurf", path)["talonone"] == {
        "command": str(python),
        "args": ["-m", "talonone_mcp", *ENTRY["args"]],
    }
    assert home.run("uninstall", "windsurf").status == 0
    assert not path.exists()


def test_what_uvx_runs_is_started_by_uvx(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    uvx = home.path / "bin" / "uvx"
    uvx.parent.mkdir()
    uvx.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(uvx.parent))
    monkeypatch.setattr(sys, "prefix", str(home.path / ".cache/uv/archive-v0/bOvLdRZy69D3"))
    path = home.file("windsurf")

    home.run("install", "windsurf", "--sandbox")

    written = said("windsurf", path)["talonone"]
    assert written["command"] == str(uvx)
    assert written["args"][-3:] == ["talonone-mcp", *ENTRY["args"]]
    source = written["args"][:-3]  # empty, if what is tested is from the registry
    assert not source or (source[0] == "--from" and Path(source[1]).exists())
    assert home.run("uninstall", "windsurf").status == 0
    assert not path.exists()


# --- Links, and the words of docs/installation.md -----------------------------------------------


def test_a_link_is_written_through(home: Home) -> None:
    path = home.file("zed")
    dotfiles = home.path / "dotfiles" / "zed.json"
    dotfiles.parent.mkdir()
    dotfiles.write_text('{\n  "theme": "One"\n}\n')
    path.symlink_to(dotfiles)

    answer = home.run("install", "zed", "--sandbox")

    assert path.is_symlink()
    assert str(dotfiles) in answer.out
    assert "talonone" in said("zed", dotfiles)
    assert list(dotfiles.parent.iterdir()) == [dotfiles]

    home.run("uninstall", "zed")
    assert path.is_symlink()
    assert dotfiles.read_text() == '{\n  "theme": "One"\n}\n'


def test_print_shows_the_entry_and_changes_nothing(home: Home) -> None:
    answer = home.run("install", "gemini", "--sandbox", "--print")

    assert json.loads(answer.out) == {"mcpServers": {"talonone": ENTRY}}
    assert answer.err == f"{home.path / '.gemini/settings.json'}:\n"
    assert list(home.path.iterdir()) == []


def page() -> str:
    text = (Path(__file__).parents[2] / "docs" / "installation.md").read_text("utf-8")
    return text.partition("## Connect it to a host")[2].partition("\n## ")[0]


def test_the_page_names_every_host_with_its_command() -> None:
    rows = re.findall(r"^\| .* \| `talonone-mcp install (\S+)` \|", page(), re.MULTILINE)

    assert rows == list(FILES)


def test_the_commands_of_the_page_do_what_it_says(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = re.findall(r"^talonone-mcp ((?:un)?install .*)$", page(), re.MULTILINE)
    home.file("cursor")
    monkeypatch.chdir(home.path)

    answers = [home.run(*command.split()) for command in commands]

    assert [answer.status for answer in answers] == [0, 0]
    assert list((home.path / ".cursor").iterdir()) == []


@pytest.mark.parametrize(("language", "host"), [("json", "claude-desktop"), ("toml", "codex")])
def test_the_page_shows_what_print_shows(
    home: Home, language: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = shutil.which("true", path=os.defpath) or "/bin/true"  # any file that there is
    monkeypatch.setenv("TALONONE_BASE_URL", ACCOUNT)
    monkeypatch.setenv("TALONONE_MANAGEMENT_KEY_FILE", key)

    shown = home.run("install", host, "--print").out

    shown = shown.replace(COMMAND, "/path/to/talonone-mcp/.venv/bin/talonone-mcp")
    shown = shown.replace(key, "/path/to/a/file/with/the/key")
    assert re.findall(rf"^```{language}\n(.*?)^```$", page(), re.DOTALL | re.MULTILINE) == [shown]
