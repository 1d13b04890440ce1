"""The command itself: what it says, where, and with which exit status."""

import json
import signal
import socket
import subprocess

import pytest
from mcp import Client

from talonone_mcp import __version__
from tests.installed import COMMAND, over_stdio, run


def test_the_version() -> None:
    assert run("--version").stdout == f"talonone-mcp {__version__}\n"


def test_the_demo_holds_and_tells_the_whole_story() -> None:
    demo = run("demo")

    assert demo.returncode == 0, demo.stderr
    story = [
        "it is used up (1 of 1)",
        "issued: BACK-",
        "Gives 20 codes",
        'name: "Summer 20',
        "person  yes",
        'campaign 18 "Summer promotions"',
        "person  no",
        "declined:",
        "18, Summer promotions, running",
        "person  yes",
        "campaign 18 does not exist",
        "none was changed",
        "Every step held.",
    ]
    at = -1
    for part in story:
        assert part in demo.stdout[at + 1 :], demo.stdout
        at = demo.stdout.index(part, at + 1)


def test_without_configuration_it_says_what_is_missing() -> None:
    started = run("serve")

    assert (started.returncode, started.stdout) == (2, "")
    for part in ("TALONONE_BASE_URL", "TALONONE_MANAGEMENT_KEY", "--sandbox"):
        assert part in started.stderr
    assert len(started.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["serve"], {"TALONONE_BASE_URL": "nonsense"}, "TALONONE_BASE_URL"),
        (["serve", "--confirm", "maybe"], {}, "--confirm"),
        (["--transport", "http", "--host", "0.0.0.0", "--sandbox"], {}, "--host"),
        (["--port", "1", "--sandbox"], {}, "--port"),
        (["--toolsets", "cupons", "--sandbox"], {}, "did you mean coupons?"),
        (["--toolsets", " ,", "--sandbox"], {}, "--toolsets"),
        (["no-such-command"], {}, "no-such-command"),
    ],
)
def test_a_wrong_start_names_the_setting(
    arguments: list[str], environment: dict[str, str], named: str
) -> None:
    key = {"TALONONE_MANAGEMENT_KEY": "secret-of-the-account"}
    started = run(*arguments, environment=key | environment)

    assert (started.returncode, started.stdout) == (2, "")
    assert named in started.stderr
    assert "Traceback" not in started.stderr
    assert "secret-of-the-account" not in started.stderr


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        started = run("--transport", "http", "--port", port, "--sandbox")

    assert started.returncode == 2
    assert f"127.0.0.1:{port}" in started.stderr
    assert "Traceback" not in started.stderr


def test_turning_the_gate_off_is_said_at_start() -> None:
    assert "--confirm off" in run("--sandbox", "--confirm", "off").stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_server_that_waits(number: int) -> None:
    ping = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
    with subprocess.Popen(
        [COMMAND, "--sandbox"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(ping)
        server.stdin.flush()
        assert '"id":1' in server.stdout.readline()

        server.send_signal(number)

        assert server.wait(10) == -number


def test_stdin_at_its_end_ends_the_server() -> None:
    ended = run("--sandbox")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "value"), [("SSL_CERT_FILE", "/none"), ("HTTPS_PROXY", "gopher://me:pass@x")]
)
async def test_certificates_or_a_proxy_that_cannot_be_used_are_named(name: str, value: str) -> None:
    account = {"TALONONE_BASE_URL": "https://127.0.0.1:1", "TALONONE_MANAGEMENT_KEY": "key"}
    async with Client(over_stdio(account | {name: value})) as client:
        result = await client.call_tool("list_applications", {})
    ran = run("call", "list_applications", environment=account | {name: value})

    for error in (result.structured_content["error"], json.loads(ran.stdout)["error"]):
        assert error["kind"] == "unreachable"
        assert name in error["hint"]
        assert "pass@" not in json.dumps(error)
    assert ran.returncode == 1
