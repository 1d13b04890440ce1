"""Each API has its own address and credentials; a session of the Management API is opened once."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog, ImpactRule
from talonone_mcp.core.settings import SettingsError, load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from tests.unit.test_gate import YES, connected
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio
TOKEN = "the-token-of-a-session"
ACCOUNT = {"TALONONE_EMAIL": "anna@example.com", "TALONONE_PASSWORD": "a pass phrase"}
THIRD_PARTY = {"TALONONE_THIRD_PARTY_KEY": "key", "TALONONE_PLATFORM_NAME": "pendula"}
CAPILLARY = {"CAPILLARY_BASE_URL": "https://eu.example", "CAPILLARY_ACCESS_TOKEN": "token"}
URL = {"TALONONE_BASE_URL": "https://acme.europe-west1.talon.one"}


async def account(scope: Scope, receive: Receive, send: Send) -> None:
    """Open sessions, and echo what a request carries, as a careless upstream would."""
    request = Request(scope, receive)
    body = (await request.body()).decode()
    answer = JSONResponse({"message": f"sent: {body} {dict(request.headers)}"}, 400)
    if (request.method, request.url.path) == ("POST", "/v1/sessions"):
        refused = "wrong" in body
        content = {"userId": 7, "token": TOKEN, "created": "2026-01-01T00:00:00Z"}
        answer = JSONResponse({"message": "no"} if refused else content, 401 if refused else 201)
    elif request.method in ("GET", "DELETE"):
        answer = JSONResponse({"id": 1, "headers": dict(request.headers)})
    await answer(scope, receive, send)


@pytest.fixture
def server() -> Iterator[Upstream]:
    with serve(account) as running:
        yield running


def configured(server: Upstream, **environment: str) -> Any:
    return load_settings({"confirm": "off"}, {"TALONONE_BASE_URL": server.url, **environment})


def sent(server: Upstream) -> list[str]:
    return [f"{each.method} {each.path}" for each in server.requests]


async def test_a_session_is_opened_at_first_use_for_all_calls(
    catalog: Catalog, server: Upstream
) -> None:
    async with Client(build_server(configured(server, **ACCOUNT), catalog)) as client:
        assert server.requests == []
        async with anyio.create_task_group() as calls:
            for campaign in range(3):
                arguments = {"applicationId": 1, "campaignId": campaign}
                calls.start_soon(client.call_tool, "get_campaign", arguments)

    assert sent(server)[0] == "POST /v1/sessions"
    assert json.loads(server.requests[0].body) == {
        "email": "anna@example.com",
        "password": "a pass phrase",
    }
    assert "authorization" not in server.requests[0].headers
    assert len(server.requests) == 4
    for request in server.requests[1:]:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_model_sees_neither_password_nor_token(catalog: Catalog, server: Upstream) -> None:
    async with Client(build_server(configured(server, **ACCOUNT), catalog)) as client:
        opened = await client.call_tool("create_session", {})
        read = await client.call_tool("get_campaign", {"applicationId": 1, "campaignId": 1})

    assert opened.structured_content == {"userId": 7, "created": "2026-01-01T00:00:00Z"}
    assert TOKEN not in str(read.structured_content)


async def test_a_session_that_ended_is_opened_again(catalog: Catalog, server: Upstream) -> None:
    async with Client(build_server(configured(server, **ACCOUNT), catalog)) as client:
        none = await client.call_tool("destroy_session", {})
        await client.call_tool("create_session", {})
        await client.call_tool("destroy_session", {})
        await client.call_tool("get_campaign", {"applicationId": 1, "campaignId": 1})

    assert none.structured_content["error"]["kind"] == "not_found"
    assert sent(server) == [
        "POST /v1/sessions",
        "DELETE /v1/sessions",
        "POST /v1/sessions",
        "GET /v1/applications/1/campaigns/1",
    ]
    assert server.requests[1].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(("lasts", "expected"), [(True, "not_found"), (False, "unauthorized")])
async def test_a_session_that_upstream_ended_is_renewed_once(
    catalog: Catalog, lasts: bool, expected: str
) -> None:
    tokens: list[str] = []

    async def forgetful(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = JSONResponse({"message": "who are you?"}, 401)
        if request.method == "POST":
            tokens.append(f"token-{len(tokens)}")
            answer = JSONResponse({"userId": 7, "token": tokens[-1]}, 201)
        elif lasts and request.headers["authorization"] == "Bearer token-1":
            answer = JSONResponse({"message": "no such campaign"}, 404)
        await answer(scope, receive, send)

    campaign = {"applicationId": 1, "campaignId": 1}
    results: list[Any] = []
    with serve(forgetful) as upstream:
        async with Client(build_server(configured(upstream, **ACCOUNT), catalog)) as client:

            async def call() -> None:
                results.append(await client.call_tool("get_campaign", campaign))

            async with anyio.create_task_group() as calls:
                for _ in range(3 if lasts else 1):
                    calls.start_soon(call)

    assert {result.structured_content["error"]["kind"] for result in results} == {expected}
    assert tokens == ["token-0", "token-1"]


async def test_a_refused_login_says_which_variables(catalog: Catalog, server: Upstream) -> None:
    settings = configured(server, **ACCOUNT | {"TALONONE_PASSWORD": "wrong"})
    async with Client(build_server(settings, catalog)) as client:
        result = await client.call_tool("get_campaign", {"applicationId": 1, "campaignId": 1})

    error = result.structured_content["error"]
    assert (error["kind"], sent(server)) == ("unauthorized", ["POST /v1/sessions"])
    assert "TALONONE_PASSWORD" in error["hint"]


async def test_the_management_key_goes_before_the_session(
    catalog: Catalog, server: Upstream
) -> None:
    settings = configured(server, **ACCOUNT, TALONONE_MANAGEMENT_KEY="key")
    async with Client(build_server(settings, catalog)) as client:
        await client.call_tool("create_session", {})
        await client.call_tool("get_campaign", {"applicationId": 1, "campaignId": 1})

    assert server.requests[1].headers["authorization"] == "ManagementKey-v1 key"


async def test_without_a_password_no_session_is_opened(catalog: Catalog, server: Upstream) -> None:
    settings = configured(server, TALONONE_MANAGEMENT_KEY="key")
    async with Client(build_server(settings, catalog)) as client:
        result = await client.call_tool("create_session", {})

    error = result.structured_content["error"]
    assert error["kind"] == "not_configured"
    assert "TALONONE_EMAIL" in error["hint"]
    assert server.requests == []


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"CAPILLARY_ACCESS_TOKEN": "token"}, "Bearer token"),
        (
            {"CAPILLARY_USERNAME": "till", "CAPILLARY_PASSWORD": "päss:word"},
            f"Basic {b64encode('till:päss:word'.encode()).decode()}",
        ),
    ],
)
async def test_capillary_takes_a_token_or_a_password(
    catalog: Catalog, server: Upstream, credentials: dict[str, str], expected: str
) -> None:
    settings = load_settings({}, {"CAPILLARY_BASE_URL": f"{server.url}/capillary", **credentials})
    async with Client(build_server(settings, catalog)) as client:
        tools = await client.list_tools()
        await client.call_tool("capillary_issue_coupon", {"seriesId": 1, "customer": {"id": 2}})

    assert [tool.name for tool in tools.tools[3:]] == ["server_info", "issue_coupon"]
    [request] = server.requests
    assert request.path == "/capillary/v2/coupon/issue"
    assert request.headers["authorization"] == expected


async def test_the_third_party_api_is_told_platform_and_deployment(
    catalog: Catalog, server: Upstream
) -> None:
    environment = THIRD_PARTY | {
        "TALONONE_BASE_URL": "https://acme.europe-west1.talon.one:443/",
        "TALONONE_THIRD_PARTY_URL": server.url,
    }
    async with Client(build_server(load_settings({}, environment), catalog)) as client:
        await client.call_tool(
            "cep_create_or_get_coupon",
            {
                "applicationId": "1",
                "campaignId": "2",
                "externalCampaignId": "spring & co",
                "attributes": {"first name": "Änne", "age": 30, "vip": True},
                "dryRun": False,
            },
        )

    [request] = server.requests
    assert request.headers["customer-engagement-platform-name"] == "pendula"
    assert request.headers["destination-hostname"] == "acme.europe-west1.talon.one"
    assert request.headers["x-dry-run"] == "false"
    assert request.query[2:] == [
        ("externalCampaignId", "spring & co"),
        (".first name", "Änne"),
        (".age", "30"),
        (".vip", "true"),
    ]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({**URL, "TALONONE_EMAIL": "a@b.c"}, "TALONONE_PASSWORD"),
        ({**URL, "TALONONE_PASSWORD": "x"}, "TALONONE_EMAIL"),
        ({**URL, "TALONONE_THIRD_PARTY_KEY": "x"}, "TALONONE_PLATFORM_NAME"),
        (THIRD_PARTY, "TALONONE_BASE_URL"),
        ({**URL, **THIRD_PARTY, "TALONONE_PLATFORM_NAME": "new\nline"}, "TALONONE_PLATFORM_NAME"),
        ({"CAPILLARY_ACCESS_TOKEN": "x"}, "CAPILLARY_BASE_URL"),
        ({"CAPILLARY_BASE_URL": "https://eu.example"}, "CAPILLARY_ACCESS_TOKEN"),
        ({**CAPILLARY, "CAPILLARY_BASE_URL": "eu"}, "CAPILLARY_BASE_URL"),
        ({"CAPILLARY_BASE_URL": "https://eu.example", "CAPILLARY_USERNAME": "x"},
         "CAPILLARY_PASSWORD"),
        ({**CAPILLARY, "CAPILLARY_USERNAME": "x", "CAPILLARY_PASSWORD": "y"}, "keep one"),
        ({**URL, **THIRD_PARTY, "TALONONE_THIRD_PARTY_URL": "x"}, "TALONONE_THIRD_PARTY_URL"),
    ],
)  # fmt: skip
def test_half_a_configuration_names_the_other_half(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({}, environment)

    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_configured_is_what_is_listed() -> None:
    assert load_settings({}, CAPILLARY).apis == {"capillary"}
    assert load_settings({}, URL | THIRD_PARTY).apis == {"third_party"}
    assert load_settings({}, URL | ACCOUNT).apis == {"management"}


def test_every_secret_may_stand_in_a_file(tmp_path: Any) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file\n")
    environment = URL | THIRD_PARTY | CAPILLARY | ACCOUNT
    environment |= {"TALONONE_MANAGEMENT_KEY": "x", "TALONONE_INTEGRATION_KEY": "x"}
    secrets = [name for name in environment if name.endswith(("_KEY", "PASSWORD", "TOKEN"))]
    assert len(secrets) == 5
    for name in secrets:
        del environment[name]
        environment[f"{name}_FILE"] = str(file)

    settings = load_settings({}, environment)

    assert settings.secrets == ("from-a-file",) * 5
    assert "from-a-file" not in repr(settings)


RESET = {"password": 'Änna"1234!', "resetToken": "Z2VgacVNkexL"}


async def test_a_new_password_is_shown_to_nobody(catalog: Catalog, server: Upstream) -> None:
    """Upstream repeats the request in its error, and still neither secret comes back."""
    settings = load_settings(
        {}, {"TALONONE_BASE_URL": server.url, "TALONONE_MANAGEMENT_KEY": "a-management-key"}
    )
    async with connected(build_server(settings, catalog), lambda _: YES) as (client, asked):
        result = await client.call_tool("reset_password", RESET)
        wrong = await client.call_tool("reset_password", {**RESET, "password": [RESET["password"]]})

    assert json.loads(server.requests[-1].body) == RESET
    seen = f"{asked} {result} {wrong}"
    assert "1234" not in seen
    assert "[hidden]" in result.structured_content["error"]["message"]
    assert wrong.structured_content["error"]["details"] == [
        {"at": "password", "problem": "must be of type string"}
    ]
    for secret in (*RESET.values(), "a-management-key"):
        assert secret not in seen


async def test_not_even_a_question_that_would_show_it_does(
    catalog: Catalog, server: Upstream
) -> None:
    telling = ImpactRule("grants", "people", what="password {password}, others {others}")
    operation = replace(catalog.operations["reset_password"], impact=(telling,))
    settings = load_settings({}, {"TALONONE_BASE_URL": server.url, "TALONONE_MANAGEMENT_KEY": "k"})
    careless = replace(catalog, operations={**catalog.operations, operation.name: operation})

    async with connected(build_server(settings, careless), lambda _: YES) as (client, asked):
        await client.call_tool("reset_password", RESET)

    [question] = asked
    assert "password [secret], others None." in question
    assert all(secret not in question for secret in RESET.values())


async def test_an_approver_sees_neither(catalog: Catalog, server: Upstream) -> None:
    environment = {"TALONONE_BASE_URL": server.url, "TALONONE_MANAGEMENT_KEY": "k"}
    environment["TALONONE_STATE_DIR"] = server.state_dir
    async with Client(build_server(load_settings({}, environment), catalog)) as client:
        await client.call_tool("reset_password", RESET)

    [waiting] = SqliteLedger(Path(server.state_dir, LEDGER_FILE)).waiting()
    assert json.loads(waiting.call.arguments) == dict.fromkeys(RESET, "[secret]")
    async for file in anyio.Path(server.state_dir).iterdir():
        content = await file.read_bytes()
        assert all(secret.encode() not in content for secret in RESET.values())
