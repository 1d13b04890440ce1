"""An Application is chosen by its key: the call says which, and a wrong one is never taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench.tokens import exceeded
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.application_keys import with_applications
from talonone_mcp.core.settings import Settings, SettingsError, load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.surface.tool_list import surface
from tests.unit.test_gate import YES, connected, error_of
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio
TWO = json.dumps({"43": "key-of-43", "42": "key-of-42"})
ONE = json.dumps({"42": "key-of-42"})
SESSION = {"customerSessionId": "s1"}
URL = {"TALONONE_BASE_URL": "https://acme.europe-west1.talon.one"}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Repeat the headers, as a careless upstream would."""
    request = Request(scope, receive)
    await JSONResponse({"headers": dict(request.headers)})(scope, receive, send)


def configured(server: Upstream, keys: str = TWO, **flags: Any) -> Settings:
    environment = {"TALONONE_BASE_URL": server.url, "TALONONE_INTEGRATION_KEYS": keys}
    return load_settings(flags, environment | {"TALONONE_STATE_DIR": server.state_dir})


async def called(catalog: Catalog, server: Upstream, keys: str, **arguments: Any) -> Any:
    async with Client(build_server(configured(server, keys), catalog)) as client:
        return await client.call_tool("get_customer_session", SESSION | arguments)


@pytest.mark.parametrize(
    ("keys", "arguments", "used"),
    [
        (TWO, {"applicationId": 42}, "key-of-42"),
        (TWO, {"applicationId": 43}, "key-of-43"),
        (TWO, {"applicationId": 43.0}, "key-of-43"),
        (ONE, {}, "key-of-42"),
        (ONE, {"applicationId": 42}, "key-of-42"),
    ],
)
async def test_the_call_says_whose_key(
    catalog: Catalog, keys: str, arguments: dict[str, Any], used: str
) -> None:
    with serve(echo) as upstream:
        result = await called(catalog, upstream, keys, **arguments)

    [request] = upstream.requests
    assert request.headers["authorization"] == f"ApiKey-v1 {used}"
    assert "applicationId" not in f"{request.path}{request.query}"
    assert not result.is_error
    assert used not in str(result)


@pytest.mark.parametrize(
    ("keys", "arguments"), [(TWO, {}), (TWO, {"applicationId": 7}), (ONE, {"applicationId": 43})]
)
async def test_without_a_key_the_applications_that_have_one_are_named(
    catalog: Catalog, keys: str, arguments: dict[str, Any]
) -> None:
    with serve(echo) as upstream:
        error = error_of(await called(catalog, upstream, keys, **arguments))

    assert upstream.requests == []
    assert error["kind"] == "not_configured"
    assert ("42, 43" if keys == TWO else "42") in error["message"]
    assert "applicationId" in error["hint"]


@pytest.mark.parametrize("wrong", ["42", True, [42], None, {}])
async def test_an_application_that_is_no_number_is_refused(catalog: Catalog, wrong: Any) -> None:
    with serve(echo) as upstream:
        error = error_of(await called(catalog, upstream, ONE, applicationId=wrong))

    assert upstream.requests == []
    assert error["kind"] == "invalid_arguments"
    assert [each["at"] for each in error["details"]] == ["applicationId"]


async def test_a_key_of_nobody_knows_which_takes_no_application(catalog: Catalog) -> None:
    with serve(echo) as upstream:
        environment = {"TALONONE_BASE_URL": upstream.url, "TALONONE_INTEGRATION_KEY": "key"}
        async with Client(build_server(load_settings({}, environment), catalog)) as client:
            refused = await client.call_tool("get_customer_session", SESSION | {"applicationId": 1})
            await client.call_tool("get_customer_session", SESSION)

    assert "applicationId is unknown" in "{at} {problem}".format(**error_of(refused)["details"][0])
    assert [each.headers["authorization"] for each in upstream.requests] == ["ApiKey-v1 key"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(("keys", "listed"), [(TWO, True), (ONE, False)])
async def test_it_is_listed_where_there_is_a_choice(
    catalog: Catalog, mode: str, keys: str, listed: bool
) -> None:
    with serve(echo) as upstream:
        server = build_server(configured(upstream, keys, toolsets=("all",)), catalog)
        async with Client(server, mode=mode) as client:
            tools = (await client.list_tools()).tools

    operations = [tool for tool in tools if tool.name in catalog.operations]
    assert {catalog.operations[tool.name].api for tool in operations} == {"integration"}
    for tool in operations:
        schema = tool.input_schema
        assert ("applicationId" in schema.get("required", [])) is listed
        chosen = schema["properties"].get("applicationId")
        assert chosen == ({"type": "integer", "enum": [42, 43]} if listed else None)


@pytest.mark.parametrize("count", [2, 5, 6, 100])
def test_however_many_keys_there_are_the_definitions_keep_their_budget(
    catalog: Catalog, count: int
) -> None:
    applications = range(10_000, 10_000 + count)
    served = with_applications(catalog, applications)
    everything = load_settings({"sandbox": True, "toolsets": ("all",)}, {})
    tools = surface(served, everything).tools

    assert exceeded(tool.model_dump(by_alias=True, exclude_none=True) for tool in tools) == []


async def test_it_stays_out_of_a_body(catalog: Catalog) -> None:
    event = {"profileId": "p", "type": "seen", "attributes": {}}
    with serve(echo) as upstream:
        async with Client(build_server(configured(upstream), catalog)) as client:
            result = await client.call_tool("track_event", {**event, "applicationId": 43})

    assert not result.is_error
    assert json.loads(upstream.requests[0].body) == event


async def test_a_person_is_told_the_application_and_says_yes_to_that_one(catalog: Catalog) -> None:
    erase = {"integrationId": "anna", "applicationId": 43}
    with serve(echo) as upstream:
        server = build_server(configured(upstream), catalog)
        async with connected(server, lambda _: YES) as (client, asked):
            result = await client.call_tool("delete_customer_data", erase)

    assert not result.is_error
    assert "; Application 43; " in asked[0]
    assert "Application 42" not in asked[0]
    assert [each.method for each in upstream.requests] == ["GET", "GET", "DELETE"]
    for request in upstream.requests:  # the previews too
        assert request.headers["authorization"] == "ApiKey-v1 key-of-43"


async def test_an_approval_for_one_application_is_none_for_another(catalog: Catalog) -> None:
    with serve(echo) as upstream:
        async with Client(build_server(configured(upstream), catalog)) as client:
            approvals = [
                error_of(
                    await client.call_tool(
                        "delete_customer_data", {"integrationId": "anna", "applicationId": number}
                    )
                )["approval"]["id"]
                for number in (42, 43, 42)
            ]

    assert approvals[0] == approvals[2] != approvals[1]
    assert upstream.changes == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("nonsense-secret", "JSON object"),
        ('["secret"]', "JSON object"),
        ("{}", "JSON object"),
        ("[" * 100_000, "JSON object"),
        ('{"shop": "secret"}', "not an Application id"),
        ('{"0": "secret"}', "not an Application id"),
        ('{"042": "secret"}', "not an Application id"),
        ('{"-1": "secret"}', "not an Application id"),
        ('{"42": "secret", "42": "other"}', "two keys for Application 42"),
        ('{"42": 1234567}', "Application 42 that is not text"),
        ('{"42": {"key": "secret"}}', "Application 42 that is not text"),
        ('{"42": "secret words"}', "one word"),
        ('{"42": ""}', "one word"),
    ],
)
def test_keys_that_cannot_be_used_are_one_line_without_them(keys: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"^TALONONE_INTEGRATION_KEYS: ") as error:
        load_settings({}, URL | {"TALONONE_INTEGRATION_KEYS": keys})

    assert said in str(error.value)
    for part in ("secret", "other", "1234567", "\n"):
        assert part not in str(error.value)


def test_two_ways_to_give_a_key_contradict_each_other() -> None:
    keys = {"TALONONE_INTEGRATION_KEY": "key", "TALONONE_INTEGRATION_KEYS": ONE}
    with pytest.raises(SettingsError, match="both set; keep one") as error:
        load_settings({}, URL | keys)

    assert "key-of" not in str(error.value)


def test_keys_from_a_file_are_secrets_each(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{TWO}\n")

    settings = load_settings({}, URL | {"TALONONE_INTEGRATION_KEYS_FILE": str(file)})

    assert settings.applications == (42, 43)
    assert set(settings.secrets) == {"key-of-42", "key-of-43"}
    assert settings.apis == {"integration"}
    assert "key-of" not in repr(settings)
