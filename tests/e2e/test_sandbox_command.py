"""`talonone-mcp sandbox`: a Talon.One on a port, and in a file that outlives its process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from talonone_mcp.core.settings import SANDBOX_KEY
from tests.installed import COMMAND, over_stdio, run

MANAGEMENT = {"Authorization": f"ManagementKey-v1 {SANDBOX_KEY}"}
SHOP = {"Authorization": f"ApiKey-v1 {SANDBOX_KEY}"}
COUPONS = "/v1/applications/42/campaigns/18/coupons"


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Start it on a free port, and yield the process with a client of its Management API."""
    process = subprocess.Popen(
        [COMMAND, "sandbox", "--port", "0", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        said = process.stdout.readline()
        assert said, process.stderr.read()
        url = next(word for word in said.split() if word.startswith("http")).rstrip(",")
        with httpx.Client(base_url=url, headers=MANAGEMENT, timeout=30) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


def issue(client: httpx.Client, code: str) -> int:
    body = {"numberOfCoupons": 1, "usageLimit": 1, "couponPattern": code}
    status: int = client.post(COUPONS, json=body).status_code
    return status


def codes(client: httpx.Client) -> set[str]:
    found = client.get(f"{COUPONS}/no_total", params={"valuesOnly": True}).json()
    return {coupon["value"] for coupon in found["data"]}


@pytest.mark.anyio
async def test_a_server_can_be_pointed_at_it() -> None:
    with running() as (_, client):
        account = {
            "TALONONE_BASE_URL": str(client.base_url),
            "TALONONE_MANAGEMENT_KEY": SANDBOX_KEY,
        }
        async with Client(over_stdio(account, "serve")) as host:
            answer = await host.call_tool("list_applications", {})

    assert answer.structured_content is not None
    assert [each["id"] for each in answer.structured_content["data"]] == [42, 43]


def test_the_limit_of_requests_holds_unless_it_is_taken_away() -> None:
    statuses = {}
    for arguments in ((), ("--no-limits",)):
        with running(*arguments) as (_, client):
            statuses[arguments] = [client.get("/v1/applications/42").status_code for _ in range(8)]

    assert 429 in statuses[()]
    assert statuses[("--no-limits",)] == [200] * 8


def test_what_was_acknowledged_outlives_a_sudden_end(tmp_path: Path) -> None:
    data = str(tmp_path / "account.db")
    acknowledged: set[str] = set()
    for round_ in range(3):
        with running("--data", data, "--no-limits") as (process, client):
            assert acknowledged <= codes(client)
            before = codes(client)

            def create(number: int, *, round_: int = round_, client: Any = client) -> None:
                code = f"KEEP-{round_}-{number}"
                if issue(client, code) == 204:
                    acknowledged.add(code)
                if number == 40:
                    os.kill(process.pid, signal.SIGKILL)

            with ThreadPoolExecutor(4) as pool:
                results = [pool.submit(create, number) for number in range(200)]
            assert sum(result.exception() is not None for result in results) > 0, "it ended midway"
        assert len(acknowledged) > 40 * (round_ + 1) - 4
    with running("--data", data) as (_, client):
        found = codes(client)

    assert before < found
    assert acknowledged <= found


def test_an_account_that_was_killed_while_it_was_filled_is_filled_anew(tmp_path: Path) -> None:
    data = tmp_path / "account.db"
    process = subprocess.Popen(
        [COMMAND, "sandbox", "--port", "0", "--data", str(data), "--scale", "2000"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not data.exists():
        assert process.poll() is None
    process.kill()
    process.communicate()

    with running("--data", str(data)) as (_, client):
        assert len(codes(client)) == 40


def test_one_process_a_file(tmp_path: Path) -> None:
    data = str(tmp_path / "account.db")
    with running("--data", data):
        second = run("sandbox", "--port", "0", "--data", data)

    assert (second.returncode, second.stdout) == (2, "")
    assert data in second.stderr
    assert len(second.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [b"no database at all, but long enough to look at" * 9, None])
def test_another_file_is_left_alone(tmp_path: Path, content: bytes | None) -> None:
    data = tmp_path / "other.db"
    if content is None:
        with closing(sqlite3.connect(data)) as database:
            database.execute("CREATE TABLE other (content)")
        content = data.read_bytes()
    else:
        data.write_bytes(content)

    started = run("sandbox", "--port", "0", "--data", str(data))

    assert (started.returncode, started.stdout) == (2, "")
    assert str(data) in started.stderr
    assert data.read_bytes() == content


def test_a_seed_is_for_a_new_account(tmp_path: Path) -> None:
    data = str(tmp_path / "account.db")
    accounts = []
    for arguments in (("--seed", "2", "--data", data), ("--data", data), ("--seed", "2"), ()):
        with running(*arguments) as (_, client):
            accounts.append(codes(client))

    assert accounts[0] == accounts[1] == accounts[2] != accounts[3]
    again = run("sandbox", "--port", "0", "--data", data, "--seed", "2")
    assert again.returncode == 2
    assert "--seed" in again.stderr


@pytest.mark.parametrize(
    "arguments", [("--port", "70000"), ("--scale", "0"), ("--scale", "x"), ("--seed", "x")]
)
def test_a_wrong_option_is_named(arguments: tuple[str, str]) -> None:
    started = run("sandbox", *arguments)

    assert started.returncode == 2
    assert arguments[0] in started.stderr


def test_a_body_of_50_megabytes_is_refused() -> None:
    with running() as (_, client):
        body = b'{"numberOfCoupons": 1, "usageLimit": 1, "attributes": {"a": "' + b"x" * 50_000_000
        refused = client.post(COUPONS, content=body, headers={"Content-Type": "application/json"})
        before = codes(client)

    assert (refused.status_code, refused.json()["StatusCode"]) == (413, 413)
    assert len(before) == 40
