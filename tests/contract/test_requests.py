"""Every operation sends the request that the facts describe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from talonone_mcp.app import build_server
from talonone_mcp.catalog import Catalog
from talonone_mcp.settings import SANDBOX_KEY
from tests.conftest import settings_for
from tests.contract.facts import (
    Fact,
    documented_document,
    documented_path,
    documented_query,
    example_arguments,
    load_facts,
)
from tests.upstream import Recorded, Upstream, serve

pytestmark = pytest.mark.anyio
AUTHORIZATION = {
    "management": f"ManagementKey-v1 {SANDBOX_KEY}",
    "integration": f"ApiKey-v1 {SANDBOX_KEY}",
}


async def anything(scope: Scope, receive: Receive, send: Send) -> None:
    csv = "export" in Request(scope).url.path
    response = Response("a,b\n1,2\n", media_type="text/csv") if csv else JSONResponse({"ok": True})
    await response(scope, receive, send)


@pytest.fixture(scope="module")
def recorder() -> Iterator[Upstream]:
    with serve(anything) as upstream:
        yield upstream


@pytest.mark.parametrize("fact", [pytest.param(fact, id=fact["tool"]) for fact in load_facts()])
async def test_the_request_equals_the_facts(
    catalog: Catalog, recorder: Upstream, fact: Fact
) -> None:
    arguments = example_arguments(fact)
    server = build_server(settings_for(recorder, confirm="off"), catalog)

    recorder.requests.clear()
    async with Client(server) as client:
        result = await client.call_tool(fact["tool"], arguments)

    assert not result.is_error, result.structured_content
    [request] = recorder.requests
    assert (request.method, request.path) == (fact["method"], documented_path(fact, arguments))
    assert sorted(request.query) == sorted(documented_query(fact, arguments))
    assert request.headers["authorization"] == AUTHORIZATION[fact["api"]]
    _assert_body(request, fact, arguments)


def _assert_body(request: Recorded, fact: Fact, arguments: dict[str, Any]) -> None:
    kind = request.headers.get("content-type", "")
    if "body" not in fact:
        assert (request.body, kind) == (b"", "")
    elif fact["body"]["content_type"] == "multipart/form-data":
        assert kind.startswith("multipart/form-data; boundary=")
        assert b'name="upFile"; filename="' in request.body
        assert arguments["csv"].encode() in request.body
    else:
        assert kind == "application/json"
        assert json.loads(request.body) == documented_document(fact, arguments)
