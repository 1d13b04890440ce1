"""Tells a container engine whether the server in this container still answers.

    python healthcheck.py [PID]

A container has one command, that of process 1. If it serves MCP over HTTP, it is asked what it is
(`server/discover`), the one request of MCP that needs no session and leaves none behind. Nothing is
asked of Talon.One: starting the container anew would mend nothing there. Over stdio there is no
door to knock at, and the container ends with its client; so nothing is asked, and all is well.

It uses the standard library alone and loads nothing of the server, because it runs every half
minute beside it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 5  # seconds
REVISION = "2026-07-28"
QUESTION = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "server/discover",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientInfo": {"name": "healthcheck", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": REVISION,
    "Mcp-Method": "server/discover",
}


def address(command: Sequence[str]) -> tuple[str, int] | None:
    """Return the host and port that a command serves, or None for one that serves none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--transport", default="stdio")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    words = [word for word in command if word != "--"]  # docker-init has one before the command
    options, _ = parser.parse_known_args(words)
    return (options.host, options.port) if options.transport == "http" else None


def problem(host: str, port: int) -> str:
    """Ask the server what it is; return what is wrong with its answer, or ""."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("POST", "/mcp", json.dumps(QUESTION), HEADERS)
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    if response.status == http.client.OK and "result" in answer:
        return ""
    return f"HTTP {response.status}"


def main() -> int:
    """Return 0 when all is well, else 1 with a line that says why."""
    process = sys.argv[1] if len(sys.argv) > 1 else "1"
    try:
        command = Path("/proc", process, "cmdline").read_bytes().decode().rstrip("\0").split("\0")
    except OSError as error:
        print(f"process {process}: {error.strerror}")
        return 1
    served = address(command)
    wrong = problem(*served) if served else ""
    if wrong:
        print(wrong)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
