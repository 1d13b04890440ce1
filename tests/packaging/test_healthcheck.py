"""The health check of the image, against servers that are well, that hang, and that are gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from release import healthcheck

from tests.installed import COMMAND
from tests.upstream import Upstream


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(*arguments: str, state: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the server in a process of its own until it serves."""
    with subprocess.Popen(
        [COMMAND, "serve", "--sandbox", *arguments],
        env={"TALONONE_STATE_DIR": str(state)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            if "http" in arguments:
                assert server.stderr
                assert "serving" in server.stderr.readline()
            yield server
        finally:
            server.kill()


def check(process: int) -> subprocess.CompletedProcess[str]:
    """Run the check as the engine does, but for another process than the first."""
    command = [sys.executable, healthcheck.__file__, str(process)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_server_that_answers_is_well(tmp_path: Path) -> None:
    with serving("--transport", "http", "--port", str(free_port()), state=tmp_path) as server:
        checked = check(server.pid)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_server_over_stdio_is_well_as_long_as_it_runs(tmp_path: Path) -> None:
    with serving(state=tmp_path) as server:
        assert check(server.pid).returncode == 0


def test_a_server_that_is_gone_is_not_well(tmp_path: Path) -> None:
    with serving("--transport", "http", "--port", str(free_port()), state=tmp_path) as server:
        pass

    checked = check(server.pid)
    assert checked.returncode == 1
    assert checked.stderr == ""


def test_a_server_that_hangs_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "PATIENCE", 0.2)
    port = free_port()
    with serving("--transport", "http", "--port", str(port), state=tmp_path) as server:
        os.kill(server.pid, signal.SIGSTOP)

        assert "Timeout" in healthcheck.problem("127.0.0.1", port)


def test_a_port_that_nobody_serves_is_not_well() -> None:
    assert "ConnectionRefusedError" in healthcheck.problem("127.0.0.1", free_port())


def test_another_server_on_the_port_is_not_well(upstream: Upstream) -> None:
    port = int(upstream.url.rpartition(":")[2])

    assert healthcheck.problem("127.0.0.1", port)


@pytest.mark.parametrize(
    ("arguments", "served"),
    [
        ([], None),
        (["serve", "--sandbox"], None),
        (["serve", "--transport", "stdio"], None),
        (["serve", "--transport", "http"], ("127.0.0.1", 8000)),
        (["--transport=http", "--port=9", "--read-only"], ("127.0.0.1", 9)),
        (["--transport", "http", "--host", "::1", "--tools", "a,b"], ("::1", 8000)),
    ],
)
def test_where_the_server_is_stands_on_its_command_line(
    arguments: Sequence[str], served: tuple[str, int] | None
) -> None:
    assert healthcheck.address(["/sbin/docker-init", "--", "talonone-mcp", *arguments]) == served
