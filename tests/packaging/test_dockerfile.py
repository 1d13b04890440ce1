"""What the Dockerfile says, as far as that can be told without an engine."""

from __future__ import annotations

import subprocess

import pytest
from release.project import REGISTRY_NAME, ROOT, metadata

from talonone_mcp import __version__
from tests.packaging.dockerfile import Instruction, instructions, is_sent, one, pairs, stages

BUILD, FINAL = stages()
COPIES = [each for each in BUILD if each.keyword == "COPY"]
SOURCES = [word for each in COPIES for word in each.words[:-1]]
RUNS = [each for each in instructions() if each.keyword == "RUN"]


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_copied_is_there_and_is_sent_to_the_engine(source: str) -> None:
    assert (ROOT / source).exists()
    files = [path for path in [ROOT / source, *(ROOT / source).rglob("*")] if path.is_file()]
    kept = [path for path in files if "__pycache__" not in path.parts]
    assert kept
    assert all(is_sent(path.relative_to(ROOT).as_posix()) for path in kept)


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".env",
        "tests/conftest.py",
        "bench/client.py",
        "server/talonone_mcp/__pycache__/cli.cpython-311.pyc",
        "server/talonone_mcp/cli.pyc",
        "key.txt",
        "talonone_mcp.db",
    ],
)
def test_nothing_else_is_sent(path: str) -> None:
    assert not is_sent(path)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.rest[:40])
def test_whatever_is_installed_is_checked_against_its_hash(run: Instruction) -> None:
    for command in run.rest.split("&&"):
        if " install " in command and "pip" in command:
            assert "--require-hashes" in command or "--no-index --no-deps" in command


def test_the_final_stage_installs_nothing() -> None:
    commands = [each.rest for each in FINAL if each.keyword == "RUN"]

    assert not [each for each in commands if "pip" in each or "apt" in each]
    assert {each.flags for each in FINAL if each.keyword == "COPY"} == {("--from=build",)}


def test_both_stages_have_the_same_base_so_that_the_environment_fits() -> None:
    assert one(BUILD, "FROM").rest.split()[0] == one(FINAL, "FROM").rest
    base = instructions()[0]
    assert base.keyword == "ARG"
    assert "latest" not in base.rest
    assert ":" in base.rest


def test_it_does_not_run_as_root() -> None:
    user, group = (int(each) for each in one(FINAL, "USER").rest.split(":"))

    assert user >= 1000
    assert group >= 1000
    assert FINAL.index(one(FINAL, "USER")) > max(
        number for number, each in enumerate(FINAL) if each.keyword in ("RUN", "COPY")
    )


def test_what_is_written_is_written_to_the_volume() -> None:
    environment = pairs(FINAL, "ENV")

    assert environment["TALONONE_STATE_DIR"] == one(FINAL, "VOLUME").rest
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_no_secret_is_baked_in() -> None:
    names = {name for stage in stages() for name in pairs(stage, "ENV")}

    assert not [name for name in names if name.endswith(("KEY", "TOKEN", "PASSWORD"))]


def test_the_labels_are_those_of_the_project() -> None:
    assert pairs(FINAL, "LABEL") == {
        "org.opencontainers.image.title": metadata()["name"],
        "org.opencontainers.image.description": metadata()["description"],
        "org.opencontainers.image.version": __version__,
        "org.opencontainers.image.licenses": metadata()["license"],
        "io.modelcontextprotocol.server.name": REGISTRY_NAME,
    }


def test_every_command_is_an_array_so_that_signals_reach_the_server() -> None:
    for keyword in ("ENTRYPOINT", "CMD"):
        assert one(FINAL, keyword).rest.startswith("[")
    assert subprocess.list2cmdline(one(FINAL, "ENTRYPOINT").words) == "talonone-mcp"
