"""A session lasts: one for all calls, and with TALONONE_TOKEN_CACHE for the next process too."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.settings import Settings, SettingsError, load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.upstream.token_cache import TOKEN_LIFETIME_S, TokenCache, token_cache
from tests.clocks import Leaping
from tests.unit.test_gate import error_of
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio
EMAIL = "anna@example.com"
CAMPAIGN = {"applicationId": 1, "campaignId": 1}
POSIX = pytest.mark.skipif(os.name != "posix", reason="the mode of a file says who may read it")


@dataclass(slots=True)
class Account:
    """An upstream that mints token-0, token-1 and so on, and forgets those in `ended`.

    `hold` keeps logins waiting. What is late is answered when the session was renewed.
    """

    upstream: Upstream = field(init=False)
    refuses: bool = False
    hold: threading.Event | None = None
    renewed: threading.Event = field(default_factory=threading.Event)
    minted: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method == "POST" and self.hold:
            await anyio.to_thread.run_sync(self.hold.wait)
        if request.url.path.endswith("/late") and not self.renewed.is_set():
            await anyio.to_thread.run_sync(self.renewed.wait)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        answer = JSONResponse({"id": 1})
        if request.method == "POST" and not self.refuses:
            self.minted.append(f"token-{len(self.minted)}")
            answer = JSONResponse({"userId": 7, "token": self.minted[-1]}, 201)
            if len(self.minted) > 1:
                self.renewed.set()
        elif request.method == "POST" or token in self.ended:
            answer = JSONResponse({"message": "no"}, 401)
        await answer(scope, receive, send)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Each request's method and what authorized it."""
        requests = self.upstream.requests
        return [(each.method, each.headers.get("authorization", "")) for each in requests]


@pytest.fixture
def account() -> Iterator[Account]:
    account = Account()
    with serve(account) as account.upstream:
        yield account


def configured(account: Account, **environment: str) -> Settings:
    return load_settings(
        {"confirm": "off"},
        {
            "TALONONE_BASE_URL": account.upstream.url,
            "TALONONE_STATE_DIR": account.upstream.state_dir,
            "TALONONE_EMAIL": EMAIL,
            "TALONONE_PASSWORD": "a pass phrase",
            **environment,
        },
    )


async def run(catalog: Catalog, settings: Settings, *tools: str) -> list[Any]:
    """Start a server, call tools one after the other, and stop it."""
    async with Client(build_server(settings, catalog)) as client:
        return [await client.call_tool(tool, CAMPAIGN if "camp" in tool else {}) for tool in tools]


async def burst(catalog: Catalog, account: Account, count: int) -> list[Any]:
    """Call the same tool from many tasks, and let no login end before all of them wait."""
    account.hold = threading.Event()
    results: list[Any] = []
    # By a clock that leaps, those who wait their turn may wait for long.
    settings = configured(account, TALONONE_DEADLINE="86400")
    server = build_server(settings, catalog, clock=Leaping().clock)
    async with Client(server) as client:

        async def call() -> None:
            results.append(await client.call_tool("get_campaign", CAMPAIGN))

        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            if account.hold:
                account.hold.set()
    return results


async def test_a_hundred_first_calls_open_one_session(catalog: Catalog, account: Account) -> None:
    results = await burst(catalog, account, 100)

    assert not any(result.is_error for result in results)
    assert account.sent[0] == ("POST", "")
    assert account.sent[1:] == [("GET", "Bearer token-0")] * 100


async def test_a_login_that_failed_is_not_repeated_by_those_who_waited_for_it(
    catalog: Catalog, account: Account
) -> None:
    account.refuses = True

    results = await burst(catalog, account, 100)

    assert {error_of(result)["kind"] for result in results} == {"unauthorized"}
    assert account.sent == [("POST", "")]


async def test_a_login_that_failed_is_tried_again_by_a_later_call(
    catalog: Catalog, account: Account
) -> None:
    account.refuses = True
    async with Client(build_server(configured(account), catalog)) as client:
        failed = await client.call_tool("get_campaign", CAMPAIGN)
        account.refuses = False
        worked = await client.call_tool("get_campaign", CAMPAIGN)

    assert (failed.is_error, worked.is_error) == (True, False)


async def test_a_burst_renews_an_ended_session_once(catalog: Catalog, account: Account) -> None:
    account.ended.add("token-0")

    results = await burst(catalog, account, 50)

    assert not any(result.is_error for result in results)
    assert account.minted == ["token-0", "token-1"]


async def test_who_waits_for_a_login_that_is_given_up_makes_their_own(
    catalog: Catalog, account: Account
) -> None:
    account.hold = threading.Event()
    results: list[Any] = []
    async with Client(build_server(configured(account), catalog)) as client:

        async def call() -> None:
            results.append(await client.call_tool("get_campaign", CAMPAIGN))

        async with anyio.create_task_group() as waiting, anyio.create_task_group() as given_up:
            given_up.start_soon(call)
            while not account.upstream.requests:
                await anyio.lowlevel.checkpoint()
            waiting.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            account.hold.set()
            given_up.cancel_scope.cancel()

    assert [result.is_error for result in results] == [False]


async def test_a_late_refusal_does_not_end_the_session_that_came_after(
    catalog: Catalog, account: Account
) -> None:
    account.ended.add("token-0")
    async with Client(build_server(configured(account), catalog)) as client:
        async with anyio.create_task_group() as tasks:
            late = {"applicationId": 1, "storeId": "late"}
            tasks.start_soon(client.call_tool, "get_store", late)
            while len(account.upstream.requests) < 2:  # the login, and what is late
                await anyio.lowlevel.checkpoint()
            await client.call_tool("get_campaign", CAMPAIGN)
        await client.call_tool("get_campaign", CAMPAIGN)

    assert account.minted == ["token-0", "token-1"]


# --- The file -----------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "token"


def cached(account: Account, file: Path, **environment: str) -> Settings:
    return configured(account, TALONONE_TOKEN_CACHE=str(file), **environment)


async def test_the_next_process_uses_the_session_of_the_last(
    catalog: Catalog, account: Account, file: Path
) -> None:
    settings = cached(account, file)

    results = await run(catalog, settings, "get_campaign") + await run(
        catalog, settings, "get_campaign"
    )

    assert account.sent == [("POST", ""), *[("GET", "Bearer token-0")] * 2]
    assert "token-0" not in str(results)
    assert_private(file)


def assert_private(file: Path) -> None:
    assert names_beside(file) == [file.name]
    assert os.name != "posix" or stat.S_IMODE(file.stat().st_mode) == 0o600
    for private in (EMAIL, "a pass phrase", "127.0.0.1"):
        assert private not in file.read_text()


def names_beside(file: Path) -> list[str]:
    return [path.name for path in file.parent.iterdir()]


def held(file: Path) -> Any:
    return json.loads(file.read_text())


def hold(file: Path, content: bytes | dict[str, Any]) -> None:
    file.touch(0o600)
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def contents(folder: str) -> Iterator[bytes]:
    """Yield what is in each file."""
    yield from (path.read_bytes() for path in Path(folder).rglob("*") if path.is_file())


async def test_without_the_variable_no_file_is_written(catalog: Catalog, account: Account) -> None:
    settings = configured(account)
    await run(catalog, settings, "get_campaign")

    assert account.minted == ["token-0"]
    assert token_cache(settings) is None
    assert not any(b"token-0" in content for content in contents(account.upstream.state_dir))


async def test_a_session_from_the_file_that_has_ended_is_renewed_in_it(
    catalog: Catalog, account: Account, file: Path
) -> None:
    settings = cached(account, file)
    await run(catalog, settings, "get_campaign")
    account.ended.add("token-0")

    [result] = await run(catalog, settings, "get_campaign")

    assert not result.is_error
    assert account.minted == ["token-0", "token-1"]
    assert held(file)["token"] == "token-1"


async def test_a_session_that_another_process_renewed_is_taken_over(
    catalog: Catalog, account: Account, file: Path
) -> None:
    settings = cached(account, file)
    async with Client(build_server(settings, catalog)) as client:
        await client.call_tool("get_campaign", CAMPAIGN)
        account.ended.add("token-0")
        await run(catalog, settings, "get_campaign")
        await client.call_tool("get_campaign", CAMPAIGN)

    assert account.minted == ["token-0", "token-1"]
    assert account.sent[-1] == ("GET", "Bearer token-1")


async def test_a_destroyed_session_leaves_the_file(
    catalog: Catalog, account: Account, file: Path
) -> None:
    settings = cached(account, file)
    await run(catalog, settings, "create_session")
    assert held(file)["token"] == "token-0"

    await run(catalog, settings, "destroy_session")

    assert account.sent[-1] == ("DELETE", "Bearer token-0")
    assert names_beside(file) == []


@pytest.mark.parametrize(
    "other", [{"TALONONE_EMAIL": "bob@example.com"}, {"TALONONE_BASE_URL": "{url}/other"}]
)
async def test_a_token_is_not_used_for_another_account(
    catalog: Catalog, account: Account, file: Path, other: dict[str, str]
) -> None:
    await run(catalog, cached(account, file), "get_campaign")
    changed = {name: value.format(url=account.upstream.url) for name, value in other.items()}

    await run(catalog, cached(account, file, **changed), "get_campaign")

    assert account.minted == ["token-0", "token-1"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("token", 7),
        ("token", ""),
        ("token", "line\r\nX-Injected: 1"),
        ("created", "yesterday"),
        ("created", None),
        ("created", 0),
        ("created", 1e308),
        ("account", None),
    ],
)
async def test_a_file_that_is_not_right_is_ignored(
    catalog: Catalog, account: Account, file: Path, key: str, value: Any
) -> None:
    settings = cached(account, file)
    await run(catalog, settings, "get_campaign")
    hold(file, held(file) | {key: value})

    [result] = await run(catalog, settings, "get_campaign")

    assert not result.is_error
    assert account.minted == ["token-0", "token-1"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 50_000], ids=repr)
async def test_a_file_that_is_no_record_is_ignored(
    catalog: Catalog, account: Account, file: Path, content: bytes
) -> None:
    hold(file, content)

    [result] = await run(catalog, cached(account, file), "get_campaign")

    assert not result.is_error
    assert held(file)["token"] == "token-0"


@pytest.mark.parametrize(
    ("age", "kept"),
    [(0, True), (TOKEN_LIFETIME_S - 1, True), (TOKEN_LIFETIME_S, False), (-1, False)],
)
def test_a_token_is_kept_for_three_months(file: Path, age: float, kept: bool) -> None:
    TokenCache(file, "https://a.example", EMAIL, clock=Clock(now=lambda: 1e9 + 0.7)).write("token")

    later = TokenCache(file, "https://a.example", EMAIL, clock=Clock(now=lambda: 1e9 + 0.7 + age))

    assert later.read() == ("token" if kept else None)
    assert TOKEN_LIFETIME_S < 92 * 86_400


@POSIX
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620])
def test_a_file_that_others_can_read_stops_the_start(
    account: Account, file: Path, mode: int
) -> None:
    file.touch()
    file.chmod(mode)

    with pytest.raises(SettingsError, match=r"^TALONONE_TOKEN_CACHE: .*chmod 600"):
        cached(account, file)


@POSIX
async def test_a_file_opened_to_others_meanwhile_is_neither_read_nor_written(
    catalog: Catalog, account: Account, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = cached(account, file)
    await run(catalog, settings, "get_campaign")
    before = held(file)
    await anyio.Path(file).chmod(0o644)

    with caplog.at_level(logging.WARNING):
        await run(catalog, settings, "get_campaign")

    assert account.minted == ["token-0", "token-1"]
    assert held(file) == before
    assert "TALONONE_TOKEN_CACHE" in caplog.text
    assert "token-" not in caplog.text


@POSIX
def test_a_file_of_another_user_is_refused(
    account: Account, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.touch(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)

    with pytest.raises(SettingsError, match="belongs to another user"):
        cached(account, file)


@POSIX
def test_a_link_is_refused(account: Account, file: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch(0o600)
    file.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SettingsError, match="no ordinary file"):
        cached(account, file)


async def test_a_folder_that_cannot_be_written_costs_the_file_and_not_the_call(
    catalog: Catalog,
    account: Account,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    [result] = await run(catalog, cached(account, file), "get_campaign")

    assert not result.is_error
    assert names_beside(file) == []
    assert "No space left" in caplog.text


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"TALONONE_TOKEN_CACHE": "/nowhere/at/all"}, "/nowhere/at is not a folder"),
        ({"TALONONE_TOKEN_CACHE": "."}, "no ordinary file"),
        ({"TALONONE_TOKEN_CACHE": "~nobody-has-this-name/x"}, "TALONONE_TOKEN_CACHE: "),
    ],
)
def test_a_place_that_is_none_is_one_line(
    account: Account, environment: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as error:
        configured(account, **environment)

    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_cache_without_an_account_is_half_a_configuration(tmp_path: Path) -> None:
    environment = {
        "TALONONE_BASE_URL": "https://a.example",
        "TALONONE_MANAGEMENT_KEY": "key",
        "TALONONE_TOKEN_CACHE": str(tmp_path / "token"),
    }
    with pytest.raises(SettingsError, match="TALONONE_TOKEN_CACHE is set, but also needs"):
        load_settings({}, environment)
