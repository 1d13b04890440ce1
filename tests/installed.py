"""The installed command, started as a host starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mcp import StdioServerParameters
from mcp.client import Transport
from mcp.client.stdio import stdio_client

# Another installation, such as that of the wheel, can be put to the same tests.
COMMAND = os.environ.get("TALONONE_MCP_COMMAND") or str(
    Path(sys.executable).with_name("talonone-mcp")
)
_OURS = ("TALONONE_", "CAPILLARY_")
_STATE = tempfile.TemporaryDirectory()  # so that the user's own state is left alone
_BARE = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)} | {
    "TALONONE_STATE_DIR": _STATE.name,
    "XDG_CONFIG_HOME": _STATE.name,
}


def run(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=_BARE | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def over_stdio(environment: Mapping[str, str], *arguments: str) -> Transport:
    """Start the command as a host's configuration does."""
    return stdio_client(
        StdioServerParameters(command=COMMAND, args=list(arguments), env=_BARE | dict(environment))
    )


@contextmanager
def over_http(environment: Mapping[str, str], *arguments: str) -> Iterator[str]:
    """Start the command on a free port and yield its URL."""
    server = subprocess.Popen(
        [COMMAND, "serve", "--transport", "http", "--port", "0", *arguments],
        env=_BARE | dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        said = ""
        while "serving http" not in said:
            said = server.stderr.readline()
            assert said, "the server ended before it served"
        yield said.split()[-1]
    finally:
        server.terminate()
        out, _ = server.communicate(timeout=20)
    assert out == "", "stdout belongs to MCP"
