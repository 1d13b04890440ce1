"""`talonone-mcp install`, where it cannot: nothing is changed, and one line says what to do."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.homes import FILES, Home, home, kept

__all__ = ["home"]

DEEP = b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}"
BROKEN = [
    ("cursor", b'{\n  "mcpServers": {\n    "a": 1,,\n', "line 3, column 12"),
    ("cursor", b'{"mcpServers": {}', "the file ends"),
    ("cursor", b'{"a": 1} {', "line 1, column 10"),
    ("cursor", b'{"a": "\n"}', "line 1, column 7"),
    ("cursor", b"{a: 1}", "a name in double quotes"),
    ("cursor", b'{"a" 1}', "a colon"),
    ("cursor", b"[1, 2 3]", "a comma or ]"),
    ("cursor", b"{} /* no end", "line 1, column 4"),
    ("cursor", DEEP, "deep nesting"),
    ("claude-desktop", b'{\n  // mine\n  "a": 1\n}', "line 2, column 3"),
    ("claude-desktop", b'{"a": 1,}', "line 1, column 8"),
    ("codex", b"model = \n", "line 1, column 9"),
    ("codex", b"[a]\n[a]\n", "line 2, column 3"),
    ("codex", b"a = " + b"[" * 5000 + b"]" * 5000, "is broken"),
]
STRANGE = [
    ("cursor", b"[]", "it holds no object"),
    ("cursor", b'{"mcpServers": []}', '"mcpServers"'),
    ("vscode", b'{"servers": {}, "inputs": {}}', '"inputs" (line 1, column 17) is no array'),
    ("cursor", b'{"mcpServers": {},\n"mcpServers": {}}', "twice (line 1, column 2 and line 2"),
    ("cursor", b'{"mcpServers": {"talonone": {}, "talonone": {}}}', "twice"),
    ("cursor", b'{"version": 7, "mcpServers": {}}', '"version": 7'),
    ("codex", b"mcp_servers = 1\n", "mcp_servers"),
    ("codex", b"mcp_servers = { a = {} }\n", "another way than as tables"),
    (
        "codex",
        b'[mcp_servers]\ntalonone = { command = "talonone-mcp" }\n',
        '"talonone" is no table of its own',
    ),
    ("cursor", '{"a": "é"}'.encode("utf-16"), "UTF-16"),
    ("cursor", b'{\n"a": "\xe9"}', "line 2 holds bytes that are no UTF-8"),
    ("cursor", b'{"a": "\0"}', "a zero byte"),
    ("cursor", b" " * (32 * 1024 * 1024 + 1), "32 MiB"),
]


@pytest.mark.parametrize(("host", "content", "named"), [*BROKEN, *STRANGE])
def test_a_file_that_cannot_be_changed_is_left_alone(
    home: Home, host: str, content: bytes, named: str
) -> None:
    path = home.file(host, content=content)

    answer = home.run("install", host)

    assert (answer.status, answer.out) == (1, "")
    assert str(path) in answer.err and named in answer.err
    assert answer.err.count("\n") == 1
    assert path.read_bytes() == content
    assert kept(path) == []


def test_print_shows_the_entry_of_a_broken_file_too(home: Home) -> None:
    home.file("cursor", content=b"{")

    assert "talonone" in json.loads(home.run("install", "cursor", "--print").out)["mcpServers"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["cursr"], "did you mean cursor?"),
        (["vs-code"], "did you mean vscode?"),
        (["emacs"], "Known: claude-desktop, claude-code"),
        (["cursor", "--profile", "suport"], "--profile"),
        (["cursor", "--toolsets", "cupons"], "did you mean coupons?"),
        (["cursor", "--tools", "delete_campaign", "--read-only"], "--read-only"),
        (["cursor", "--name", "a b"], "--name"),
        (["cursor", "--transport", "http"], "starts its own"),
        (["cursor", "--port", "0"], "starts its own"),
    ],
)
def test_wrong_use_is_said_before_anything_is_written(
    home: Home, arguments: list[str], named: str
) -> None:
    path = home.file("cursor")

    answer = home.run("install", *arguments)

    assert (answer.status, answer.out) == (2, "")
    assert named in answer.err
    assert not path.exists()


@pytest.mark.parametrize("host", FILES)
def test_a_host_that_is_not_there_is_named_with_where_it_was_looked_for(
    home: Home, host: str
) -> None:
    path = home.path / FILES[host]["linux"]

    answer = home.run("install", host, "--sandbox")

    assert answer.status == 1
    assert str(path) in answer.err and "--force" in answer.err
    assert list(home.path.iterdir()) == []
    assert home.run("install", host, "--sandbox", "--force").status == 0
    assert path.exists()


def test_a_command_on_the_path_tells_that_a_host_is_there(home: Home, tmp_path: Path) -> None:
    command = tmp_path / "no-commands" / "codex"
    command.parent.mkdir()
    command.touch(mode=0o755)

    assert home.run("install", "codex", "--sandbox").status == 0


OTHER = b'{"mcpServers": {"talonone": {"command": "other"}}}'


def test_another_server_of_the_same_name_is_not_overwritten(home: Home) -> None:
    path = home.file("cursor", content=OTHER)

    answer = home.run("install", "cursor", "--sandbox")
    taken_out = home.run("uninstall", "cursor")

    assert (answer.status, taken_out.status) == (1, 1)
    assert "--name" in answer.err and "--force" in answer.err
    assert path.read_bytes() == OTHER
    assert home.run("install", "cursor", "--sandbox", "--force").status == 0
    assert [each.read_bytes() for each in kept(path)] == [OTHER]
    assert json.loads(path.read_bytes())["mcpServers"]["talonone"]["args"][0] == "serve"


def test_an_unknown_version_can_be_forced(home: Home) -> None:
    home.file("cursor", content=b'{"version": 7}')

    assert home.run("install", "cursor", "--sandbox", "--force").status == 0


@pytest.mark.parametrize(
    ("host", "folder", "held"),
    [("cursor", "a${b}", True), ("gemini", "a$b", True), ("cursor", "a$b", False),
     ("codex", "a${b}", False), ("cursor", "a\nb", True), ("codex", "a\udc80b", True)],
)  # fmt: skip
def test_what_the_host_would_change_is_not_written(
    home: Home, host: str, folder: str, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALONONE_STATE_DIR", f"/{folder}")
    path = home.file(host)

    answer = home.run("install", host, "--sandbox")

    assert (answer.status, path.exists()) == ((1, False) if held else (0, True))
    assert ("TALONONE_STATE_DIR" in answer.err) is held


# --- The file system -----------------------------------------------------------------------------


def test_a_file_that_changes_meanwhile_is_left_as_it_was_changed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.file("cursor", content=b"{}")
    synced = os.fsync

    def change_it(descriptor: int) -> None:
        path.write_bytes(b'{"by": "the host"}')
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", change_it)

    answer = home.run("install", "cursor", "--sandbox")

    assert answer.status == 1
    assert "changed by another program" in answer.err
    assert path.read_bytes() == b'{"by": "the host"}'
    assert sorted(path.parent.iterdir()) == sorted([path, *kept(path)])


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_what_cannot_be_written_stays_as_it_is(
    home: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.file("cursor", content=b"{}")
    opened = os.open

    def refuse(file: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & os.O_CREAT and str(path.parent) in str(file):
            raise OSError(number, os.strerror(number), str(file))
        return opened(file, flags, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)

    answer = home.run("install", "cursor", "--sandbox")

    assert answer.status == 1
    assert os.strerror(number) in answer.err
    assert answer.err.count("\n") == 1
    assert path.read_bytes() == b"{}"


def test_a_file_that_a_host_holds_on_windows_stays_as_it_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.file("cursor", content=b"{}")

    def held(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    monkeypatch.setattr(os, "replace", held)
    monkeypatch.setattr(Path, "replace", held)

    answer = home.run("install", "cursor", "--sandbox")

    assert answer.status == 1
    assert "quit the host" in answer.err
    assert path.read_bytes() == b"{}"
    assert sorted(path.parent.iterdir()) == sorted([path, *kept(path)])


def test_a_file_of_another_user_is_left_alone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home.file("cursor", content=b"{}")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)

    answer = home.run("install", "cursor", "--sandbox")

    assert (answer.status, path.read_bytes()) == (1, b"{}")
    assert "another user" in answer.err


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling link", "link to itself"])
def test_what_is_no_file_is_left_alone(home: Home, kind: str) -> None:
    path = home.file("cursor")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path if kind == "link to itself" else home.path / "nowhere")
    before = path.lstat()

    answer = home.run("install", "cursor", "--sandbox")

    assert answer.status == 1
    assert str(path) in answer.err
    assert path.lstat() == before


def test_a_file_where_a_folder_should_be(home: Home) -> None:
    (home.path / ".cursor").write_text("not a folder")

    answer = home.run("install", "cursor", "--sandbox")

    assert answer.status == 1
    assert "Not a directory" in answer.err
