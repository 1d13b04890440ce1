"""The bundle for Claude Desktop: its form, and what a host starts out of it."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from release import bundle, launcher, pins

from talonone_mcp import __version__
from tests.packaging.schemas import MANIFEST, problems, published
from tests.upstream import Upstream

MANIFEST_OF_OURS = bundle.manifest()
START = MANIFEST_OF_OURS["server"]["mcp_config"]
QUESTIONS = MANIFEST_OF_OURS["user_config"]
PLACEHOLDER = re.compile(r"\$\{user_config\.(\w+)\}")


def filled_in(text: str, folder: Path, entries: Mapping[str, Any]) -> str:
    """Put a user's entries into a text as a host does: what has neither entry nor default stays."""
    defaults = {name: each["default"] for name, each in QUESTIONS.items() if "default" in each}
    text = text.replace("${__dirname}", str(folder))
    for name, value in (defaults | dict(entries)).items():
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        text = text.replace(f"${{user_config.{name}}}", shown)
    return text


def started(folder: Path, state: Path, entries: Mapping[str, Any]) -> StdioServerParameters:
    """Return what a host starts; the Python of the tests stands in for uv's."""
    arguments = [filled_in(each, folder, entries) for each in START["args"]]
    assert (START["command"], arguments[:3]) == ("uv", ["run", "--directory", str(folder)])
    variables = {name: filled_in(text, folder, entries) for name, text in START["env"].items()}
    return StdioServerParameters(
        command=sys.executable,
        args=arguments[3:],
        cwd=folder,
        env=variables | {"TALONONE_STATE_DIR": str(state)},
    )


def test_the_manifest_is_of_its_format(unpacked: Path) -> None:
    written = json.loads((unpacked / "manifest.json").read_text("utf-8"))

    assert written == MANIFEST_OF_OURS
    assert problems(written, MANIFEST) == []


def test_the_manifest_is_valid_against_the_published_schema() -> None:
    assert problems(MANIFEST_OF_OURS, published("mcpb-manifest-v0.4.schema.json")) == []


def test_it_is_of_this_version(bundled: Path) -> None:
    assert MANIFEST_OF_OURS["version"] == __version__
    assert bundled.name == f"talonone-mcp-{__version__}.mcpb"


def test_a_wheel_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"talonone_mcp-9\.9\.9-py3-none-any\.whl"):
        bundle.build(tmp_path / "talonone_mcp-9.9.9-py3-none-any.whl", tmp_path)


def test_what_is_asked_for_is_what_is_used() -> None:
    used = PLACEHOLDER.findall(json.dumps(START))

    assert sorted(used) == sorted(QUESTIONS)


def test_keys_are_sensitive_and_never_on_the_command_line() -> None:
    sensitive = {name for name, each in QUESTIONS.items() if each.get("sensitive")}

    assert sensitive == {"management_key", "integration_key", "third_party_key"}
    assert not sensitive & set(PLACEHOLDER.findall(json.dumps(START["args"])))


def test_the_same_wheel_gives_the_same_bytes(wheel: Path, bundled: Path, tmp_path: Path) -> None:
    assert bundle.build(wheel, tmp_path).read_bytes() == bundled.read_bytes()


def test_nothing_in_it_tells_when_or_where_it_was_built(bundled: Path) -> None:
    with zipfile.ZipFile(bundled) as archive:
        entries = archive.infolist()

    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_it_holds_the_package_of_the_wheel_and_no_dependency(bundled: Path, wheel: Path) -> None:
    with zipfile.ZipFile(bundled) as ours, zipfile.ZipFile(wheel) as theirs:
        package = [name for name in theirs.namelist() if name.startswith("talonone_mcp/")]
        others = set(ours.namelist()) - set(package)
        assert all(ours.read(name) == theirs.read(name) for name in package)

    assert others == {"LICENSE", "icon.png", "manifest.json", "pyproject.toml", "server.py"}
    assert "talonone_mcp/catalog.json" in package


def test_uv_installs_the_pinned_dependencies_and_builds_nothing(unpacked: Path) -> None:
    project = tomllib.loads((unpacked / "pyproject.toml").read_text("utf-8"))

    assert project["project"]["dependencies"] == pins.requirements(pins.RUNTIME)
    assert project["tool"]["uv"] == {"package": False}


def test_the_icon_is_a_png_of_the_size_that_is_asked_for(unpacked: Path) -> None:
    icon = (unpacked / MANIFEST_OF_OURS["icon"]).read_bytes()

    assert icon[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", icon[16:24]) == (512, 512)


@pytest.mark.anyio
async def test_a_host_starts_it_with_what_was_entered(
    unpacked: Path, upstream: Upstream, tmp_path: Path
) -> None:
    entries = {
        "base_url": upstream.url,
        "management_key": upstream.environment["TALONONE_MANAGEMENT_KEY"],
        "profile": "support",
    }

    async with Client(stdio_client(started(unpacked, tmp_path, entries))) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        answer = await client.call_tool("read_operation", {"name": "list_applications"})

    assert "run_operation" in names
    assert "get_application_session" in names, "the tools of the job that was entered"
    assert not answer.is_error, answer.structured_content
    assert "Webshop DE" in json.dumps(answer.structured_content)


@pytest.mark.anyio
@pytest.mark.parametrize("blank", ["", "${user_config.left_alone}"])
async def test_fields_that_are_left_blank_count_as_not_set(
    unpacked: Path, tmp_path: Path, blank: str
) -> None:
    entries = {name: blank for name, each in QUESTIONS.items() if each["type"] != "boolean"}
    entries |= {"base_url": "https://example.invalid", "management_key": "key"}

    async with Client(stdio_client(started(unpacked, tmp_path, entries))) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}

    assert {"run_operation", "list_applications", "create_coupons"} <= names


@pytest.mark.anyio
async def test_a_box_that_is_ticked_becomes_a_flag(unpacked: Path, tmp_path: Path) -> None:
    entries = {"base_url": "https://example.invalid", "management_key": "key", "read_only": True}

    async with Client(stdio_client(started(unpacked, tmp_path, entries))) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}

    assert "list_applications" in names
    assert "create_coupons" not in names


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("--profile=support", ["--profile=support"]),
        ("--profile=", []),
        ("--profile=${user_config.profile}", []),
        ("--read-only=true", ["--read-only"]),
        ("--read-only=false", []),
        ("serve", ["serve"]),
    ],
)
def test_what_was_entered_becomes_flags(written: str, given: list[str]) -> None:
    assert list(launcher.entered([written])) == given


def test_a_person_can_approve_with_the_command_in_the_bundle(
    unpacked: Path, tmp_path: Path
) -> None:
    listed = subprocess.run(
        [sys.executable, "server.py", "approvals", "list"],
        cwd=unpacked,
        env={"TALONONE_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (listed.returncode, listed.stderr) == (0, "")


def test_the_code_that_runs_is_that_of_the_bundle(unpacked: Path) -> None:
    module = "import server, talonone_mcp; print(talonone_mcp.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", module], cwd=unpacked, capture_output=True, text=True, check=True
    )

    assert Path(found.stdout.strip()).parents[1] == unpacked
