"""Every operation sends the request that the facts describe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.server.app import build_server
from tests.conftest import settings_for
from tests.contract.facts import (
    CREDENTIALS,
    Fact,
    documented_document,
    documented_path,
    documented_query,
    example_calls,
    load_facts,
)
from tests.upstream import Recorded, Upstream, serve

pytestmark = pytest.mark.anyio
TOKEN = "a-token-of-upstream"
AUTHORIZATION = {
    "management": f"ManagementKey-v1 {SANDBOX_KEY}",
    "integration": f"ApiKey-v1 {SANDBOX_KEY}",
    "third_party": f"ApiKey-v1 {SANDBOX_KEY}",
    "capillary": f"Bearer {SANDBOX_KEY}",
}


LISTED = ("1194", "2154", 10)
"""The things that upstream shows only in lists: a coupon, a referral, an audience."""


async def anything(scope: Scope, receive: Receive, send: Send) -> None:
    csv = "/export" in Request(scope).url.path and not Request(scope).url.path.endswith("/exports")
    listed = [{"id": each} for each in LISTED]
    content = {"token": TOKEN, "userId": 7, "created": "2026-01-01T00:00:00Z", "data": listed}
    response = Response("a,b\n1,2\n", media_type="text/csv") if csv else JSONResponse(content)
    await response(scope, receive, send)


@pytest.fixture(scope="module")
def recorder() -> Iterator[Upstream]:
    with serve(anything) as upstream:
        yield upstream


def reads_first(operation: Operation) -> bool:
    """Tell whether a call that names every field is laid over what is there."""
    replaces = operation.replaces
    return replaces is not None and not (replaces.blind or replaces.only_lists)


@pytest.mark.parametrize("fact", [pytest.param(fact, id=fact["tool"]) for fact in load_facts()])
async def test_the_request_equals_the_facts(
    catalog: Catalog, recorder: Upstream, fact: Fact
) -> None:
    operation = catalog.operations[fact["tool"]]
    settings = settings_for(recorder, confirm="off", **CREDENTIALS)

    for arguments in example_calls(fact, operation):
        async with Client(build_server(settings, catalog)) as client:
            if fact["tool"] == "destroy_session":
                await client.call_tool("create_session", {})
            recorder.requests.clear()
            result = await client.call_tool(fact["tool"], arguments)

        assert not result.is_error, result.structured_content
        *reads, request = recorder.requests
        assert [each.method for each in reads] == ["GET"] * reads_first(operation)
        assert (request.method, request.path) == (fact["method"], documented_path(fact, arguments))
        assert sorted(request.query) == sorted(documented_query(fact, arguments))
        _assert_headers(request, fact, recorder)
        _assert_body(request, fact, operation, arguments)


def _assert_headers(request: Recorded, fact: Fact, recorder: Upstream) -> None:
    expected = {"authorization": AUTHORIZATION[fact["api"]]}
    if fact["tool"] == "destroy_session":
        expected = {"authorization": f"Bearer {TOKEN}"}
    if fact["api"] == "third_party":
        expected["customer-engagement-platform-name"] = "a platform"
        expected["destination-hostname"] = urlsplit(recorder.url).hostname or ""
        assert "application/json" in request.headers["accept"]
    if "X-DRY-RUN" in fact.get("headers", ()):
        expected["x-dry-run"] = "true"
    if fact["tool"] == "create_session":
        assert "authorization" not in request.headers
    else:
        assert {name: request.headers.get(name) for name in expected} == expected
    assert ("x-dry-run" in request.headers) == ("x-dry-run" in expected)


def _assert_body(
    request: Recorded, fact: Fact, operation: Operation, arguments: dict[str, Any]
) -> None:
    kind = request.headers.get("content-type", "")
    if "body" not in fact:
        assert (request.body, kind) == (b"", "")
    elif fact["body"]["content_type"] == "multipart/form-data":
        assert kind.startswith("multipart/form-data; boundary=")
        assert b'name="upFile"; filename="' in request.body
        assert arguments["csv"].encode() in request.body
    else:
        assert kind == "application/json"
        assert json.loads(request.body) == documented_document(fact, operation, arguments)
