"""What of the terminal's settings `talonone-mcp install` tells a host; secrets are not among it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.homes import ACCOUNT, ENTRY, FILES, Home, home, said
from tests.installed import COMMAND

__all__ = ["home"]

KEY = "a-key-of-the-management-api"


def test_settings_go_in_and_paths_mean_the_same_elsewhere(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.project / "key").write_text(KEY)
    for name, value in {
        "TALONONE_BASE_URL": f" {ACCOUNT} ",
        "TALONONE_MANAGEMENT_KEY_FILE": "key",
        "TALONONE_STATE_DIR": "~/state",
        "TALONONE_TIMEOUT": "30",
        "UNRELATED": "x",
    }.items():
        monkeypatch.setenv(name, value)
    path = home.file("codex")

    flags = ["--config", "talonone.toml", "--prompts", "ours"]
    answer = home.run("install", "codex", *flags)

    assert said("codex", path)["talonone"] == {
        "command": COMMAND,
        "args": [
            "serve",
            "--config",
            str(home.project / "talonone.toml"),
            "--prompts",
            str(home.project / "ours"),
        ],
        "env": {
            "TALONONE_BASE_URL": ACCOUNT,
            "TALONONE_MANAGEMENT_KEY_FILE": str(home.project / "key"),
            "TALONONE_TIMEOUT": "30",
            "TALONONE_STATE_DIR": str(home.path / "state"),
        },
    }
    assert "talonone.toml: No such file" in answer.err


def test_a_configuration_file_that_is_named_in_the_environment_is_named_to_the_host(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = home.project / "talonone.toml"
    configuration.write_text(f'[talonone]\nbase_url = "{ACCOUNT}"\nmanagement_key = "{KEY}"\n')
    configuration.chmod(0o600)
    monkeypatch.setenv("TALONONE_CONFIG", "talonone.toml")
    path = home.file("vscode")

    answer = home.run("install", "vscode")

    assert answer.err == ""
    assert said("vscode", path)["talonone"]["env"] == {"TALONONE_CONFIG": str(configuration)}


def test_the_sandbox_needs_nothing_of_an_account(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALONONE_BASE_URL", ACCOUNT)
    monkeypatch.setenv("TALONONE_MANAGEMENT_KEY", KEY)
    path = home.file("vscode")

    answer = home.run("install", "vscode", "--sandbox")

    assert said("vscode", path) == {"talonone": {"type": "stdio", **ENTRY}}
    assert answer.err == ""


@pytest.mark.parametrize("host", FILES)
def test_no_secret_is_written_or_said(
    home: Home, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALONONE_BASE_URL", ACCOUNT)
    monkeypatch.setenv("TALONONE_MANAGEMENT_KEY", KEY)
    monkeypatch.setenv("TALONONE_INTEGRATION_KEYS", json.dumps({"42": f"{KEY}-42"}))
    path = home.file(host)

    shown = home.run("install", host, "--print")
    answer = home.run("install", host, "--force")

    assert (shown.status, answer.status) == (0, 0)
    assert KEY not in path.read_text() + shown.out + shown.err + answer.out + answer.err


def test_it_says_how_to_keep_a_secret_and_that_works(
    home: Home, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("TALONONE_BASE_URL", ACCOUNT)
    monkeypatch.setenv("TALONONE_MANAGEMENT_KEY", KEY)
    monkeypatch.setenv("PATH", os.defpath)
    path = home.file("cursor")

    answer = home.run("install", "cursor", "--profile", "support")
    commands = "\n".join(line for line in answer.err.splitlines() if line.startswith("  "))
    commands = commands.partition("\n  not set:")[0]
    subprocess.run(["/bin/sh", "-ec", commands], check=True, capture_output=True)

    written = said("cursor", path)["talonone"]
    secret = Path(written["env"]["TALONONE_MANAGEMENT_KEY_FILE"])
    assert secret.read_text().strip() == KEY
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert written["args"] == ["serve", "--profile", "support"]
    assert KEY not in path.read_text()


def test_nothing_is_said_of_a_secret_that_a_file_holds_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.project / "key").write_text(KEY)
    monkeypatch.setenv("TALONONE_BASE_URL", ACCOUNT)
    monkeypatch.setenv("TALONONE_MANAGEMENT_KEY", KEY)
    monkeypatch.setenv("TALONONE_MANAGEMENT_KEY_FILE", "key")
    home.file("cursor")

    assert home.run("install", "cursor").err == ""


def test_on_windows_it_says_so_for_powershell(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALONONE_MANAGEMENT_KEY", KEY)
    home.file("cursor", "windows")

    answer = home.run("install", "cursor", system="windows")

    assert "Set-Content -NoNewline" in answer.err
    assert "$env:TALONONE_MANAGEMENT_KEY_FILE = " in answer.err


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({}, ["TALONONE_MANAGEMENT_KEY"]),
        ({"TALONONE_INTEGRATION_KEY": KEY}, ["TALONONE_INTEGRATION_KEY"]),
        ({"TALONONE_EMAIL": "a@b.c", "TALONONE_PASSWORD": KEY}, ["TALONONE_PASSWORD"]),
        ({"TALONONE_MANAGEMENT_KEY_FILE": "key"}, []),
    ],
)
def test_vs_code_asks_for_what_no_file_holds(
    home: Home, variables: dict[str, str], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.project / "key").write_text(KEY)
    for name, value in (variables | {"TALONONE_BASE_URL": ACCOUNT}).items():
        monkeypatch.setenv(name, value)
    path = home.file("vscode")

    answer = home.run("install", "vscode")

    assert answer.err == ""
    document = json.loads(path.read_text())
    environment = document["servers"]["talonone"]["env"]
    inputs = {f"${{input:{each['id']}}}": each for each in document.get("inputs", [])}
    assert [name for name, value in environment.items() if value in inputs] == asked
    assert all(each["password"] and each["type"] == "promptString" for each in inputs.values())


def test_what_is_missing_is_said_at_once(home: Home) -> None:
    home.file("cursor")

    answer = home.run("install", "cursor")

    assert answer.status == 0
    assert "TALONONE_BASE_URL" in answer.err
    assert "TALONONE_MANAGEMENT_KEY" in answer.err
