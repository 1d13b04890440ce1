"""Who has set up OpenTelemetry sees each upstream request, and of nobody what they asked for."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from mcp import Client
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.upstream.connection import open_upstream
from talonone_mcp.upstream.http_messages import Request
from tests.clocks import Leaping
from tests.wire import Misbehaving, Wire, http, misbehaving

pytestmark = pytest.mark.anyio
CUSTOMER = "anna.schmidt@example.com"
KEY = "the-secret-key-of-this-account"
CALL = {"integrationId": CUSTOMER}
TEMPLATE = "/v1/customer_profiles/{integrationId}/inventory"


class Telemetry:
    """What an exporter received."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()

    @property
    def requests(self) -> list[ReadableSpan]:
        spans = self.exporter.get_finished_spans()
        return [span for span in spans if span.kind is SpanKind.CLIENT and ours(span)]

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


def ours(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name == (
        "talonone-mcp"
    )


@pytest.fixture(scope="module")
def collected() -> Iterator[Telemetry]:
    """Set OpenTelemetry up as an application does: once a process."""
    telemetry = Telemetry()
    tracing, metering = TracerProvider(), MeterProvider([telemetry.reader])
    tracing.add_span_processor(SimpleSpanProcessor(telemetry.exporter))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(metering)
    yield telemetry
    tracing.shutdown()
    metering.shutdown()


@pytest.fixture
def telemetry(collected: Telemetry) -> Telemetry:
    collected.exporter.clear()
    return collected


async def call(catalog: Catalog, url: str, clock: Clock = SYSTEM_CLOCK) -> Any:
    environment = {"TALONONE_BASE_URL": url, "TALONONE_INTEGRATION_KEY": KEY}
    async with Client(build_server(load_settings({}, environment), catalog, clock=clock)) as client:
        return await client.call_tool("get_customer_inventory", CALL)


async def test_a_request_is_a_span_within_that_of_its_call(
    catalog: Catalog, telemetry: Telemetry
) -> None:
    with misbehaving(http(200, "{}")) as wire:
        await call(catalog, wire.url)

    [request] = telemetry.requests
    spans = {span.context.span_id: span for span in telemetry.exporter.get_finished_spans()}
    assert request.parent is not None
    assert spans[request.parent.span_id].name == "tools/call get_customer_inventory"
    assert request.name == f"GET {TEMPLATE}"
    assert request.status.status_code is StatusCode.UNSET
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": urlsplit(wire.url).port,
        "talonone.operation": "get_customer_inventory",
        "talonone.wait_ms": 0,
        "url.template": TEMPLATE,
    }


def telling(wire: Wire, *behaviours: Misbehaving) -> None:
    """Let each next request meet the next behaviour."""
    left = list(behaviours)

    def behave(connection: socket.socket) -> None:
        left.pop(0)(connection)

    wire.behave = behave


async def test_each_attempt_is_a_span_of_its_own(catalog: Catalog, telemetry: Telemetry) -> None:
    with misbehaving() as wire:
        telling(wire, http(503), http(429, Retry_After="0"), http(200, "{}"))
        result = await call(catalog, wire.url, Leaping().clock)

    assert not result.is_error
    requests = [dict(span.attributes or {}) for span in telemetry.requests]
    assert [each["http.response.status_code"] for each in requests] == [503, 429, 200]
    assert [each.get("error.type") for each in requests] == ["503", "429", None]
    assert [each.get("http.request.resend_count") for each in requests] == [None, 1, 2]
    failed = [span.status.status_code for span in telemetry.requests]
    assert failed == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    port = urlsplit(wire.url).port
    assert value(telemetry, "talonone.client.retries", port) == 2
    assert value(telemetry, "talonone.client.rate_limited", port) == 1


def value(telemetry: Telemetry, name: str, port: int | None) -> Any:
    [point] = [each for each in telemetry.points(name) if each.attributes["server.port"] == port]
    return point.count if isinstance(point, HistogramDataPoint) else point.value


async def test_durations_are_counted_by_endpoint_and_outcome(
    catalog: Catalog, telemetry: Telemetry
) -> None:
    with misbehaving(http(404, "{}")) as wire:
        await call(catalog, wire.url)

    port = urlsplit(wire.url).port
    points = telemetry.points("http.client.request.duration")
    [point] = [each for each in points if each.attributes["server.port"] == port]
    assert point.count == 1
    assert point.explicit_bounds[:2] == (0.005, 0.01)
    assert dict(point.attributes) == {
        "error.type": "404",
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.template": TEMPLATE,
    }


async def test_waits_are_told(catalog: Catalog, telemetry: Telemetry) -> None:
    time = Leaping()
    with misbehaving(http(200, "{}")) as wire:
        settings = load_settings(
            {}, {"TALONONE_BASE_URL": wire.url, "TALONONE_INTEGRATION_KEY": KEY}
        )
        login, read = (catalog.operations[name] for name in ("create_session", "list_event_types"))
        async with open_upstream(settings, login, clock=time.clock) as upstream:
            for _ in range(4):
                await upstream.send(
                    replace(read, apis=("integration",)), Request("/v1/event_types")
                )

    waits = [(span.attributes or {})["talonone.wait_ms"] for span in telemetry.requests]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] == round((time.now - 100) * 1000) >= 1000
    assert value(telemetry, "talonone.client.wait.duration", urlsplit(wire.url).port) == 1


async def test_a_request_that_no_answer_came_to_says_so(
    catalog: Catalog, telemetry: Telemetry
) -> None:
    with misbehaving(lambda connection: connection.close()) as wire:
        await call(catalog, wire.url, Leaping().clock)

    for request in telemetry.requests:
        attributes = dict(request.attributes or {})
        assert attributes["error.type"] == "unreachable"
        assert "http.response.status_code" not in attributes
    assert telemetry.requests


async def test_a_call_that_is_given_up_ends_its_span(
    catalog: Catalog, telemetry: Telemetry
) -> None:
    with misbehaving() as wire:
        wire.behave = wire.hang
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, catalog, wire.url)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()

    [request] = telemetry.requests
    assert dict(request.attributes or {})["error.type"] == "CancelledError"


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_nothing_of_a_person_and_no_secret_is_told(
    catalog: Catalog, telemetry: Telemetry, status: int
) -> None:
    body = json.dumps({"message": f"{CUSTOMER} is wrong", "profile": {"name": CUSTOMER}})
    with misbehaving(http(status, body)) as wire:
        await call(catalog, wire.url)

    spans = [span.to_json() for span in telemetry.exporter.get_finished_spans()]
    data = telemetry.reader.get_metrics_data()
    told = "".join(spans) + (data.to_json() if data else "")
    assert TEMPLATE in told
    for private in ("anna", "schmidt", "example.com", KEY):
        assert private not in told


def test_without_an_sdk_nothing_is_loaded_or_kept() -> None:
    script = f"""
import anyio, sys
from mcp import Client
from talonone_mcp.core import catalog
from talonone_mcp.server.app import build_server
from talonone_mcp.core.settings import load_settings

async def main():
    environment = {{"TALONONE_BASE_URL": "http://127.0.0.1:9", "TALONONE_INTEGRATION_KEY": "k"}}
    settings = load_settings({{}}, environment | {{"TALONONE_DEADLINE": "1"}})
    async with Client(build_server(settings, catalog.load())) as client:
        result = await client.call_tool("get_customer_inventory", {CALL!r})
        print(result.structured_content["error"]["kind"])

anyio.run(main)
print([name for name in sys.modules if name.startswith("opentelemetry.sdk")])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split("\n")[:2] == ["unreachable", "[]"]
