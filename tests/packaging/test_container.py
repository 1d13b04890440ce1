"""What runs in a container: as a user of its own, who may write nowhere but in the volume.

Without an engine, a mount namespace of its own makes the root read-only, and `setpriv` takes away
the user and every capability. With TALONONE_WHEELHOUSE, a folder as docs/packages.md makes it, the
steps of the Dockerfile are run too, without a network, and what they made is what is started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from release.project import ROOT

from tests.installed import COMMAND
from tests.packaging.dockerfile import Instruction, one, pairs, stages
from tests.packaging.test_healthcheck import free_port

BUILD, FINAL = stages()
USER, GROUP = one(FINAL, "USER").rest.split(":")
CONFINED = r"""
mount --bind "$0" "$0" && mount -o remount,bind,ro / && cd / &&
exec setpriv --reuid "$USER" --regid "$GROUP" --clear-groups \
  --bounding-set -all --inh-caps -all "$@"
"""


def confined(volume: Path, *command: str) -> list[str]:
    """Return a command that can write nowhere but in the volume."""
    script = CONFINED.replace("$USER", USER).replace("$GROUP", GROUP)
    return ["unshare", "--mount", "sh", "-c", script, str(volume), *command]


@pytest.fixture
def volume() -> Iterator[Path]:
    """A folder of that user's, which others need not be able to reach pytest's own for."""
    folder = Path(tempfile.mkdtemp(prefix="volume-"))
    try:
        os.chown(folder, int(USER), int(GROUP))
        tried = subprocess.run(
            confined(folder, COMMAND, "--version"), capture_output=True, check=False
        )
    except OSError:
        tried = None
    if tried is None or tried.returncode != 0:
        shutil.rmtree(folder)
        pytest.skip("no mount namespace can be made here, or that user cannot reach the command")
    yield folder
    shutil.rmtree(folder)


def environment(root: Path, volume: Path) -> dict[str, str]:
    """Return the image's variables, of an image that was built below a folder."""
    found = {}
    for name, value in pairs(FINAL, "ENV").items():
        here = value.replace("/opt", f"{root}/opt").replace("/state", str(volume))
        found[name] = here.replace("$PATH", os.defpath)
    return found


async def works(command: list[str], variables: Mapping[str, str]) -> None:
    """Work with a server over stdio so that it writes what it writes."""
    server = StdioServerParameters(command=command[0], args=command[1:], env=dict(variables))
    async with Client(stdio_client(server)) as client:
        arguments = {"applicationId": 42, "campaignId": 18, "numberOfCoupons": 1, "usageLimit": 1}
        made = await client.call_tool("create_coupons", arguments)
        exported = await client.call_tool(
            "run_operation",
            {"name": "export_coupons", "arguments": {"applicationId": 42}},
        )
    assert not made.is_error, made.structured_content
    assert not exported.is_error, exported.structured_content


@pytest.mark.anyio
async def test_the_server_writes_nowhere_but_in_the_volume(volume: Path) -> None:
    command = confined(volume, COMMAND, "serve", "--sandbox")

    await works(command, environment(Path("/nowhere"), volume))

    logs, databases = (
        {"audit.jsonl", "audit.head", "audit.lock"},
        {"approvals.sqlite3", "sums.sqlite3"},
    )
    assert written(volume) == ({*logs, *databases, "exports"}, {int(USER)})


def written(folder: Path) -> tuple[set[str], set[int]]:
    """Return what is in a folder, and whose all of it is."""
    names = {path.name for path in folder.iterdir()}
    return names, {path.stat().st_uid for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """Run the steps of the Dockerfile below a folder, with the wheels of the wheelhouse."""
    wheelhouse = os.environ.get("TALONONE_WHEELHOUSE")
    if not wheelhouse:
        pytest.skip("TALONONE_WHEELHOUSE names no folder with wheels")
    root = Path(tempfile.mkdtemp(prefix="image-"))
    root.chmod(0o755)
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": wheelhouse,
    }
    for step in BUILD[1:]:
        _follow(step, root, pairs(BUILD, "ENV") | variables)
    yield root
    shutil.rmtree(root)


def _follow(step: Instruction, root: Path, variables: Mapping[str, str]) -> None:
    """Do what one instruction of the first stage says."""
    folder = root / "src"
    folder.mkdir(exist_ok=True)
    if step.keyword == "RUN":
        script = step.rest.replace("/opt/", f"{root}/opt/")
        ran = subprocess.run(
            ["sh", "-c", script],
            cwd=folder,
            env=dict(variables),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    if step.keyword == "COPY":
        *sources, target = (word.replace("/opt/", f"{root}/opt/") for word in step.words)
        for source in sources:
            _copy(ROOT / source, folder / target)


def _copy(source: Path, target: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    if source.is_dir():
        shutil.copytree(source, target, ignore=ignored)
        return
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _entry(image: Path, *arguments: str) -> list[str]:
    """Return the image's command, with what else was given to it."""
    name, *rest = one(FINAL, "ENTRYPOINT").words + one(FINAL, "CMD").words
    return [str(image / "opt/talonone-mcp/bin" / name), *rest, *arguments]


@pytest.mark.anyio
async def test_the_command_of_the_image_works(image: Path, volume: Path) -> None:
    await works(confined(volume, *_entry(image, "--sandbox")), environment(image, volume))


def test_the_image_has_nothing_that_builds_or_installs(image: Path) -> None:
    packages = {path.name for path in image.glob("opt/talonone-mcp/lib/*/site-packages/*")}

    assert {"talonone_mcp", "mcp"} <= packages
    assert not packages & {"pip", "setuptools", "hatchling", "pytest", "yaml_tests"}


def test_the_image_is_compiled_since_nothing_can_be_written_there(image: Path) -> None:
    sources = set(image.glob("opt/talonone-mcp/lib/*/site-packages/talonone_mcp/**/*.py"))
    compiled = image.glob("opt/talonone-mcp/lib/*/site-packages/talonone_mcp/**/*.pyc")

    assert sources
    assert {path.parents[1] / f"{path.name.partition('.')[0]}.py" for path in compiled} == sources


def test_the_health_check_of_the_image_tells_a_server_that_is_gone(
    image: Path, volume: Path
) -> None:
    arguments = ("--sandbox", "--transport", "http", "--port", str(free_port()))
    variables = environment(image, volume)
    words = one(FINAL, "HEALTHCHECK").rest.removeprefix("CMD ")
    check = Instruction("CMD", (), words.replace("/opt/", f"{image}/opt/")).words
    with subprocess.Popen(
        confined(volume, *_entry(image, *arguments)),
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stderr
            assert "serving" in server.stderr.readline()
            well = subprocess.run(
                [*check, str(server.pid)], env=variables, capture_output=True, check=False
            )
        finally:
            server.kill()
    gone = subprocess.run(
        [*check, str(server.pid)], env=variables, capture_output=True, check=False
    )

    assert (well.returncode, well.stdout) == (0, b"")
    assert gone.returncode == 1
