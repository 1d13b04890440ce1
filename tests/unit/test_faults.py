"""An upstream, or a network, that fails: each failure has its kind, and the next call works."""

from __future__ import annotations

import json
import socket
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, types
from mcp.server.lowlevel import Server

from talonone_mcp.calls import executor
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import Settings, load_settings
from talonone_mcp.server.app import build_server
from tests.clocks import Leaping
from tests.wire import Misbehaving, http, misbehaving, send

pytestmark = pytest.mark.anyio
KEY = "the-secret-key-of-this-account"
CAMPAIGN = {"applicationId": 42, "campaignId": 18}
HTML = "<html><body>Sign in</body></html>"


def server_at(catalog: Catalog, url: str, seconds: str = "5") -> Server[Any]:
    """Build a server that does not wait before a retry."""
    return build_server(settings_at(url, seconds), catalog, clock=Leaping().clock)


def settings_at(url: str, seconds: str = "5") -> Settings:
    environment = {
        "TALONONE_BASE_URL": url,
        "TALONONE_MANAGEMENT_KEY": KEY,
        "TALONONE_TIMEOUT": seconds,
    }
    return load_settings({"confirm": "off"}, environment)


async def call(
    catalog: Catalog, url: str, tool: str = "get_campaign", seconds: str = "5"
) -> types.CallToolResult:
    """Call a tool once, for all that there is."""
    operation = catalog.operations[tool]
    arguments: dict[str, Any] = {name: CAMPAIGN[name] for name in operation.path_arguments}
    if "fields" in operation.reserved:
        arguments["fields"] = ["*"]
    async with Client(server_at(catalog, url, seconds)) as client:
        return await client.call_tool(tool, arguments)


async def fail(catalog: Catalog, url: str, tool: str, seconds: str = "5") -> dict[str, Any]:
    """Call a tool that will not succeed and return the error."""
    result = await call(catalog, url, tool, seconds)
    assert result.is_error
    error: dict[str, Any] = result.structured_content["error"]
    assert json.loads(result.content[0].text) == {"error": error}  # type: ignore[union-attr]
    return error


def document(message: str = "went wrong", **source: str) -> str:
    errors = [{"title": "Title", "details": "Details", "source": source}]
    return json.dumps({"message": message, "errors": errors, "StatusCode": 1})


HALF = (
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"id": 1, "na'
)
READS: list[tuple[str, Misbehaving, str]] = [
    ("400", http(400, document()), "invalid_arguments"),
    ("401", http(401, document()), "unauthorized"),
    ("403", http(403, document()), "forbidden"),
    ("404", http(404, document()), "not_found"),
    ("409", http(409, document()), "conflict"),
    ("422", http(422, document()), "invalid_arguments"),
    ("429", http(429, "", Retry_After="7"), "rate_limited"),
    ("500", http(500, document()), "upstream"),
    ("502 in HTML", http(502, HTML, "text/html"), "upstream"),
    ("418", http(418), "upstream"),
    ("a redirect", http(302, "", Location="https://evil.example/"), "upstream"),
    ("HTML", http(200, HTML, "text/html"), "upstream"),
    ("half a document", http(200, '{"id": 1, "na'), "upstream"),
    ("no JSON", http(200, '{"id": NaN}'), "upstream"),
    ("endless JSON", http(200, "[" * 100_000), "upstream"),
    ("half a body", send(HALF), "unreachable"),
    ("no HTTP", send("SSH-2.0-OpenSSH\r\n"), "unreachable"),
    ("no answer at all", send(""), "unreachable"),
    ("a broken encoding", http(200, "{}", Content_Encoding="gzip"), "unreachable"),
]


@pytest.mark.parametrize(("behave", "kind"), [r[1:] for r in READS], ids=[r[0] for r in READS])
async def test_a_read_that_fails(catalog: Catalog, behave: Misbehaving, kind: str) -> None:
    with misbehaving(behave) as wire:
        async with Client(server_at(catalog, wire.url)) as client:
            failed = await client.call_tool("get_campaign", CAMPAIGN)
            wire.behave = http(200, '{"id": 18}')
            worked = await client.call_tool("get_campaign", CAMPAIGN)

    error = failed.structured_content["error"]
    assert error["kind"] == kind
    assert error["message"]
    passing = kind in ("rate_limited", "unreachable", "upstream") and error.get("status") != 302
    assert error["retryable"] is passing
    assert worked.structured_content == {"id": 18}


async def test_what_a_deployment_does_not_offer_is_not_worth_another_call(
    catalog: Catalog,
) -> None:
    for tool in ("get_campaign", "delete_campaign"):
        with misbehaving(http(501, document("no such thing"))) as wire:
            error = await fail(catalog, wire.url, tool)

        assert (error["kind"], error["retryable"]) == ("upstream", False)
        assert "does not offer" in error["hint"]


WRITES: list[tuple[str, Misbehaving, str]] = [
    ("404", http(404, document()), "not_found"),
    ("500", http(500, document()), "upstream"),
    ("502", http(502), "outcome_unknown"),
    ("504", http(504), "outcome_unknown"),
    ("HTML", http(200, HTML, "text/html"), "outcome_unknown"),
    ("half a body", send(HALF), "outcome_unknown"),
    ("no answer at all", send(""), "outcome_unknown"),
]


@pytest.mark.parametrize(("behave", "kind"), [w[1:] for w in WRITES], ids=[w[0] for w in WRITES])
async def test_a_write_that_fails_is_not_said_to_be_repeatable(
    catalog: Catalog, behave: Misbehaving, kind: str
) -> None:
    with misbehaving(behave) as wire:
        error = await fail(catalog, wire.url, "delete_campaign")

    assert error["kind"] == kind
    assert error["retryable"] is False
    if kind in ("outcome_unknown", "upstream"):
        assert "get_campaign" in error["hint"], "the read that tells is named"


@pytest.mark.parametrize(
    ("tool", "kind"), [("get_campaign", "timeout"), ("delete_campaign", "outcome_unknown")]
)
async def test_an_upstream_that_hangs(catalog: Catalog, tool: str, kind: str) -> None:
    with misbehaving() as wire:
        wire.behave = wire.hang
        with anyio.fail_after(5):
            error = await fail(catalog, wire.url, tool, seconds="0.2")

    assert error["kind"] == kind
    assert "0.2 s" in error["message"]


@pytest.mark.parametrize("tool", ["get_campaign", "delete_campaign"])
async def test_an_upstream_that_refuses_the_connection(catalog: Catalog, tool: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    error = await fail(catalog, url, tool)

    assert error["kind"] == "unreachable"
    assert error["retryable"] is True
    assert "127.0.0.1" in error["message"]
    assert "TALONONE_BASE_URL" in error["hint"]


async def test_a_host_that_does_not_resolve(catalog: Catalog) -> None:
    error = await fail(catalog, "https://no-such-deployment.invalid", "get_campaign")

    assert error["kind"] == "unreachable"
    assert "no-such-deployment.invalid" in error["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (document("Campaign is locked"), "Campaign is locked"),
        ('{"StatusCode": 404, "Error": "Not Found", "RequestUUID": "x"}', "Not Found"),
        ('{"type": "about:blank", "title": "No", "detail": "Not here"}', "Not here"),
        ('{"message": ""}', "Talon.One answered get_campaign with status 404."),
        ("[1, 2]", "Talon.One answered get_campaign with status 404."),
        (HTML, "Talon.One answered get_campaign with status 404."),
        (
            "<html><head><TITLE lang=en>Bad\n gateway &amp; \u202eco</TITLE></head>secret</html>",
            'A page with the title "Bad gateway & co".',
        ),
        (document("hid\u202eden\x00"), "hidden"),
    ],
)
async def test_upstreams_own_words(catalog: Catalog, body: str, message: str) -> None:
    with misbehaving(http(404, body)) as wire:
        error = await fail(catalog, wire.url, "get_campaign")

    assert error["message"] == message
    assert error["status"] == 404


@pytest.mark.parametrize("place", ["pointer", "parameter", "line", "resource"])
async def test_upstreams_details(catalog: Catalog, place: str) -> None:
    with misbehaving(http(400, document(**{place: "here"}))) as wire:
        error = await fail(catalog, wire.url, "get_campaign")

    assert error["details"] == [{"at": "here", "problem": "Title: Details"}]


async def test_the_details_of_a_mock_server(catalog: Catalog) -> None:
    """As Stoplight Prism writes them, in a problem document."""
    found = {"location": ["body", "name"], "severity": "Error", "code": "type", "message": "text!"}
    problem = {"title": "Invalid request", "detail": "It is wrong.", "validation": [found, 5]}
    with misbehaving(http(422, json.dumps(problem), "application/problem+json")) as wire:
        error = await fail(catalog, wire.url, "get_campaign")

    assert error["message"] == "It is wrong."
    assert error["details"] == [{"at": "body.name", "problem": "text!"}]


@pytest.mark.parametrize("errors", ["x", [1, None], [{"source": "x"}], [{"title": 5}]])
async def test_details_of_another_form_do_not_matter(catalog: Catalog, errors: Any) -> None:
    with misbehaving(http(400, json.dumps({"message": "no", "errors": errors}))) as wire:
        error = await fail(catalog, wire.url, "get_campaign")

    assert error["message"] == "no"


@pytest.mark.parametrize("status", [200, 401])
async def test_a_key_that_upstream_repeats_goes_no_further(catalog: Catalog, status: int) -> None:
    body = json.dumps({"message": f"key {KEY} is bad", "name": KEY})
    with misbehaving(http(status, body)) as wire:
        result = await call(catalog, wire.url)

    assert KEY not in result.model_dump_json()


async def test_what_is_nested_too_deeply_is_cut_there(catalog: Catalog) -> None:
    with misbehaving(http(200, '{"a":' * 300 + "1" + "}" * 300)) as wire:
        result = await call(catalog, wire.url)

    assert json.dumps(result.structured_content).count('"a"') == 100
    assert "nested too deeply" in json.dumps(result.structured_content)


async def test_a_byte_order_mark_is_no_fault(catalog: Catalog) -> None:
    with misbehaving(http(200, '\ufeff{"id": 18}')) as wire:
        result = await call(catalog, wire.url)

    assert result.structured_content == {"id": 18}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_fault_of_ours_tells_the_client_nothing(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("inner workings")

    with misbehaving() as wire:
        async with Client(server_at(catalog, wire.url), mode=mode) as client:
            with monkeypatch.context() as patch:
                patch.setattr(executor, "shape", broken)
                with pytest.raises(MCPError) as error:
                    await client.call_tool("get_campaign", CAMPAIGN)
            worked = await client.call_tool("get_campaign", CAMPAIGN)

    assert "inner workings" not in str(error.value)
    assert "inner workings" in caplog.text
    assert not worked.is_error


async def test_a_redirect_is_not_followed(catalog: Catalog) -> None:
    with misbehaving(http(200, '{"id": 1}')) as elsewhere, misbehaving() as wire:
        wire.behave = http(307, "", Location=f"{elsewhere.url}/v1/x")
        error = await fail(catalog, wire.url, "get_campaign")

    assert error["kind"] == "upstream"
    assert "redirects" in error["hint"]


async def test_an_export_that_is_no_csv(catalog: Catalog) -> None:
    with misbehaving(http(200, HTML, "text/html")) as wire:
        error = await fail(catalog, wire.url, "export_coupons")

    assert error["kind"] == "upstream"
