"""`talonone-mcp uninstall`: what install put in goes, and nothing else."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.homes import FILES, Home, home, kept

__all__ = ["home"]

JSONC = [
    b"",
    b" \n",
    b"{}",
    b"{ }",
    b"{\n}",
    b"{\n}\n",
    b"// nothing yet\n",
    b"{\n  // nothing yet\n}\n",
    b'{"a":1}',
    b'{ "a": 1 /* one */ }',
    b'{ "a": 1 // one\n}',
    b'{\n  "a": [1, 2],\n}\n',
    b'{\r\n\t"a": 1\r\n}\r\n',
    b"\xef\xbb\xbf{}",
    b'{"SECTION": {}}',
    b'{"SECTION": { }, "inputs": []}',
    b'{\n  "SECTION": {\n  },\n  "inputs": [\n    {"id": "other"}\n  ]\n}',
    b'{\n    "SECTION": {\n        "b": {"command": "b"} // last\n        // "c": {}\n    }\n}',
    b'{\n "SECTION": {"b": {}, }, /* x */ "z": null }',
    b'{"a": 1, "a": 2}',
]
TOML = [
    b"",
    b"\n\n",
    b"# mine\n",
    b'model = "a"',
    b'model = "a"\r\n',
    b"[mcp_servers.b]\ncommand = 'b'\n\n# the end\n\n",
    b"[mcp_servers]\n",
    b'[mcp_servers."x y"]\ncommand = """\n[mcp_servers.talonone]\n"""\n',
    b"\xef\xbb\xbfa = 1\n",
]
SECTIONS = {"vscode": "servers", "zed": "context_servers"}


def cases() -> list[tuple[str, bytes]]:
    lenient = ["cursor", "vscode", "gemini", "windsurf", "zed"]
    return [
        (host, text.replace(b"SECTION", SECTIONS.get(host, "mcpServers").encode()))
        for host in lenient
        for text in JSONC
    ] + [("codex", text) for text in TOML]


@pytest.mark.parametrize(("host", "content"), cases())
def test_the_file_is_as_it_was_to_the_byte(home: Home, host: str, content: bytes) -> None:
    path = home.file(host, content=content)

    assert home.run("install", host, "--force").status == 0
    assert path.read_bytes() != content
    answer = home.run("uninstall", host)

    assert (answer.status, answer.err) == (0, "")
    assert path.read_bytes() == content


@pytest.mark.parametrize(("host", "content"), [("vscode", b"{ }"), ("codex", b"a = 1")])
def test_it_is_so_after_several_installations_too(home: Home, host: str, content: bytes) -> None:
    path = home.file(host, content=content)
    for flags in ([], ["--read-only"], ["--sandbox"]):
        assert home.run("install", host, *flags).status == 0

    home.run("uninstall", host)

    assert path.read_bytes() == content
    assert len(kept(path)) == 4


@pytest.mark.parametrize("host", FILES)
def test_a_file_that_install_made_is_removed(
    home: Home, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.path)
    path = home.file(host)
    home.run("install", host, "--force")
    home.run("install", host, "--sandbox")

    answer = home.run("uninstall", host)

    assert answer.status == 0
    assert "Removed" in answer.out
    assert not path.exists()
    assert path.parent.is_dir()


@pytest.mark.parametrize("there_before", [True, False])
def test_what_changed_since_stays(home: Home, there_before: bool) -> None:
    path = home.file("vscode", content=b'{"servers": {}, "inputs": []}' if there_before else None)
    home.run("install", "vscode")
    edited = path.read_text().rstrip().removesuffix("}") + ', "sandbox": {} // added since\n}\n'
    path.write_text(edited)

    answer = home.run("uninstall", "vscode")

    left = path.read_text()
    assert answer.status == 0
    assert "// added since" in left
    left = json.loads(left.replace("// added since", ""))
    there = '"servers": {}, "inputs": [], ' if there_before else ""
    assert left == json.loads(f'{{{there}"sandbox": {{}}}}')
    assert kept(path)[-1].read_text() == edited


def test_what_a_file_was_is_what_it_was_last(home: Home) -> None:
    path = home.file("cursor", content=b'{"a": 1}')
    home.run("install", "cursor", "--sandbox")
    home.run("uninstall", "cursor")
    path.write_text('{"mcpServers": {}}')
    home.run("install", "cursor", "--sandbox")
    path.write_text(path.read_text() + "\n")

    home.run("uninstall", "cursor")

    assert json.loads(path.read_text()) == {"mcpServers": {}}


def test_a_file_that_was_there_stays_though_nothing_is_left_in_it(home: Home) -> None:
    path = home.file("cursor", content=b"{}")
    home.run("install", "cursor", "--sandbox")
    path.write_text(path.read_text() + "\n\n")

    home.run("uninstall", "cursor")

    assert json.loads(path.read_text()) == {}


def test_a_file_that_install_made_is_removed_though_there_was_another_once(home: Home) -> None:
    path = home.file("cursor", content=b"{ }")
    home.run("install", "cursor", "--sandbox")
    path.unlink()
    home.run("install", "cursor", "--sandbox")

    home.run("uninstall", "cursor")

    assert not path.exists()


def test_a_server_that_was_added_since_stays(home: Home) -> None:
    path = home.file("codex", content=b"a = 1\n")
    home.run("install", "codex", "--sandbox")
    with path.open("a") as file:
        file.write("\n# another\n[mcp_servers.b]\ncommand = 'b'\n")

    home.run("uninstall", "codex")

    assert path.read_text() == "a = 1\n\n\n# another\n[mcp_servers.b]\ncommand = 'b'\n"


def test_tables_below_the_entry_go_with_it(home: Home) -> None:
    path = home.file("codex", content=b"")
    home.run("install", "codex", "--sandbox")
    with path.open("a") as file:
        file.write("[mcp_servers.talonone.env]\nA = '1'\n\n[tui]\nb = 1\n")

    home.run("uninstall", "codex")

    assert tomllib.loads(path.read_text()) == {"tui": {"b": 1}}


def test_an_input_that_another_server_uses_stays(home: Home) -> None:
    path = home.file("vscode")
    home.run("install", "vscode")
    document = json.loads(path.read_text())
    other = {"command": "b", "env": document["servers"]["talonone"]["env"]}
    document["servers"]["b"] = other
    path.write_text(json.dumps(document))

    home.run("uninstall", "vscode")

    left = json.loads(path.read_text())
    assert left == {"servers": {"b": other}, "inputs": document["inputs"]}


def test_inputs_of_others_stay(home: Home) -> None:
    path = home.file("vscode")
    home.run("install", "vscode")
    document = json.loads(path.read_text())
    [ours], other = document["inputs"], {"id": "other", "type": "promptString"}
    document["servers"]["talonone"]["env"]["OTHER"] = "${input:other}"
    path.write_text(json.dumps(document | {"inputs": [ours, other]}))

    home.run("uninstall", "vscode")

    assert json.loads(path.read_text())["inputs"] == [other]


def test_an_input_that_is_there_already_is_not_there_twice(home: Home) -> None:
    path = home.file("vscode")
    home.run("install", "vscode")
    inputs = json.loads(path.read_text())["inputs"]
    path.write_text(json.dumps({"inputs": inputs}))

    home.run("install", "vscode")

    assert json.loads(path.read_text())["inputs"] == inputs


def test_servers_of_other_names_stay(home: Home) -> None:
    path = home.file("cursor")
    home.run("install", "cursor", "--sandbox", "--name", "a")
    home.run("install", "cursor", "--sandbox", "--name", "b")

    home.run("uninstall", "cursor", "--name", "a")

    assert list(json.loads(path.read_text())["mcpServers"]) == ["b"]


@pytest.mark.parametrize("content", [None, b"{}", b'{"mcpServers": {"a": {}}}'])
def test_where_there_is_nothing_nothing_happens(home: Home, content: bytes | None) -> None:
    path = home.file("cursor", content=content)

    answer = home.run("uninstall", "cursor")

    assert answer.status == 0
    assert str(path) in answer.out
    assert (path.read_bytes() if content else None) == content
    assert kept(path) == []


def test_a_broken_file_is_left_alone(home: Home) -> None:
    path = home.file("cursor", content=b'{"mcpServers": ')

    answer = home.run("uninstall", "cursor")

    assert answer.status == 1
    assert "line 1, column 16" in answer.err
    assert path.read_bytes() == b'{"mcpServers": '


def test_broken_backups_are_no_hindrance(home: Home) -> None:
    path = home.file("cursor", content=b"{ }")
    home.run("install", "cursor", "--sandbox")
    Path(f"{path}.talonone-99991231-000000-01.bak").write_bytes(b"{")

    home.run("uninstall", "cursor")

    assert path.read_bytes() == b"{ }"
