"""The installed command: an agent whose client cannot ask, and a person at a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
from mcp import Client

from tests.installed import COMMAND, over_stdio, run
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio
CAMPAIGN = {"applicationId": 42, "campaignId": 18}


def approve(approval: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run the command in a terminal; return its exit status and what the person saw."""
    master, slave = pty.openpty()
    try:
        command = [COMMAND, "approvals", "approve", approval, "--yes"]
        ended = subprocess.run(
            command,
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            env=os.environ | environment,
            timeout=60,
            check=False,
        )
        return ended.returncode, os.read(master, 65536).decode()
    finally:
        os.close(slave)
        os.close(master)


async def test_a_call_waits_for_a_person_at_a_terminal(upstream: Upstream) -> None:
    environment = upstream.environment

    async def delete(client: Client) -> dict[str, Any]:
        result = await client.call_tool("delete_campaign", CAMPAIGN)
        content: dict[str, Any] = result.structured_content
        return content

    async with Client(over_stdio(environment)) as client:
        approval = (await delete(client))["error"]["approval"]["id"]
        [waiting] = json.loads(run("approvals", "list", "--json", environment=environment).stdout)
        assert (waiting["id"], waiting["tool"]) == (approval, "delete_campaign")

        without_terminal = run("approvals", "approve", approval, "--yes", environment=environment)
        assert (without_terminal.returncode, without_terminal.stdout) == (1, "")
        assert "terminal" in without_terminal.stderr

        deny = ("approvals", "deny", approval, "--reason", "It runs until May")
        assert run(*deny, environment=environment).returncode == 0
        denied = (await delete(client))["error"]
        assert denied["kind"] == "declined"
        assert "It runs until May" in denied["message"]

    # A denial stands while it lives; another call is another question.
    other = {"applicationId": 42, "campaignId": 19}
    async with Client(over_stdio(environment)) as client:
        asked = await client.call_tool("delete_campaign", other)
        approval = asked.structured_content["error"]["approval"]["id"]
        status, seen = approve(approval, environment)
        assert (status, "Welcome back" in seen) == (0, True)
        assert not (await client.call_tool("delete_campaign", other)).is_error

    assert upstream.changes == [("DELETE", "/v1/applications/42/campaigns/19")]
    verified = run("audit", "verify", environment=environment)
    assert (verified.returncode, "4 lines" in verified.stdout) == (0, True), verified.stdout
