"""The wire itself: bodies of every length, certificates, redirects, cancellation, streams."""

from __future__ import annotations

import gzip
import json
import socket
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpcore
import httpx
import pytest
from mcp import Client as McpClient

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.upstream.answer_body import MAX_ANSWER_BYTES
from talonone_mcp.upstream.http_messages import Answer, Request
from talonone_mcp.upstream.pool_admission import PoolAdmission
from tests.certificates import Authority
from tests.clocks import Leaping
from tests.faulty import (
    CLOSES_IDLE,
    LONG,
    REDIRECT,
    Fault,
    Faulty,
    answer,
    faulty,
    stall,
    stall_within,
    trickle,
)
from tests.wired import EXPORT, KEY, READ, WRITE, Wire, descriptors

pytestmark = pytest.mark.anyio
NOTHING = {"connections": 0, "requests": 0, "permits": 0}


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.content = b""
        self.begun = 0

    def restart(self) -> None:
        self.content = b""
        self.begun += 1

    async def write(self, chunk: bytes) -> None:
        self.content += chunk


@pytest.fixture(scope="module")
def endless() -> bytes:
    """Far more than may be held in memory, compressed to next to nothing."""
    return gzip.compress(bytes(MAX_ANSWER_BYTES + 2**22), compresslevel=1)


async def test_one_connection_serves_call_after_call(wire: Wire) -> None:
    async with wire.opened() as client:
        for _ in range(5):
            await client.send()

    assert wire.server.connections == 1


@pytest.mark.parametrize("tool", [READ, WRITE])
async def test_a_connection_that_was_closed_while_idle_is_noticed(wire: Wire, tool: str) -> None:
    wire.server.meet(CLOSES_IDLE)
    async with wire.opened() as client:
        await client.send(READ)
        await client.ends_noticed()
        await client.send(tool)

    assert wire.server.paths == ["/v1/x", "/v1/x"]
    assert wire.server.connections == 2


async def test_a_connection_that_is_closed_as_a_read_leaves_is_replaced(wire: Wire) -> None:
    """Whether this end knows by then or not; of a write that has left, nobody knows the outcome."""
    wire.server.meet(CLOSES_IDLE)
    async with wire.opened() as client:
        await client.send(READ)
        await client.send(READ)

    assert wire.server.paths == ["/v1/x", "/v1/x"]


async def test_what_is_too_long_for_an_address_is_said_to_be(wire: Wire) -> None:
    async with wire.opened() as client:
        error = await client.fail(READ, Request("/v1/x", query="name=" + "a" * 70_000))

    assert error.kind == "invalid_arguments"
    assert len(error.message) < 200
    assert wire.server.received == []


async def test_a_body_longer_than_was_said_is_cut_there_and_not_believed(wire: Wire) -> None:
    wire.server.meet(LONG)
    async with wire.opened() as client:
        error = await client.fail()
        await client.send()

    assert error.kind == "upstream"
    assert "not complete JSON" in error.message


async def test_a_redirect_is_refused_and_says_where_it_led(wire: Wire) -> None:
    wire.server.meet(REDIRECT)
    async with wire.opened() as client:
        error = await client.fail()

    assert (error.kind, error.status, error.retryable) == ("upstream", 307, False)
    assert error.message == "Talon.One answered get_campaign with a redirect to elsewhere.example."
    assert "TALONONE_BASE_URL" in error.hint
    assert "key" not in error.message


@pytest.mark.parametrize("location", ["http://[", "//", "\\", "?", "https://" + "a" * 5000])
async def test_a_redirect_to_nowhere_is_no_crash(wire: Wire, location: str) -> None:
    wire.server.meet(*[answer(302, b"", Location=location)] * 4)
    async with wire.opened() as client:
        error = await client.fail()

    assert error.kind in ("upstream", "unreachable")
    assert len(error.message) < 1_000


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        ('{"name": "Grün"}'.encode(), "application/json", "Grün"),
        ('\ufeff{"name": "Grün"}'.encode(), "application/json; charset=latin-1", "Grün"),
        ('{"name": "Grün"}'.encode("latin-1"), "application/json; charset=latin-1", "Grün"),
    ],
)
async def test_text_is_utf_8_unless_only_its_own_charset_fits(
    wire: Wire, content: bytes, kind: str, expected: str
) -> None:
    wire.server.meet(answer(200, content, kind))
    async with wire.opened() as client:
        answered = await client.send()

    assert answered.body == {"name": expected}


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=klingon", "; charset=hex"])
@pytest.mark.parametrize(("tool", "kind"), [(READ, "upstream"), (WRITE, "outcome_unknown")])
async def test_text_in_no_known_charset_is_not_guessed(
    wire: Wire, charset: str, tool: str, kind: str
) -> None:
    content = '{"name": "Grün"}'.encode("latin-1")
    wire.server.meet(answer(200, content, f"application/json{charset}"))
    async with wire.opened() as client:
        error = await client.fail(tool)

    assert error.kind == kind
    assert "character set" in error.message


@pytest.mark.parametrize(("tool", "kind"), [(READ, "upstream"), (WRITE, "outcome_unknown")])
async def test_an_answer_without_end_is_not_read_to_its_end(
    wire: Wire, endless: bytes, tool: str, kind: str
) -> None:
    wire.server.meet(answer(200, endless, Content_Encoding="gzip"))
    async with wire.opened() as client:
        error = await client.fail(tool)
        left = client.under_way()
        await client.send()

    assert error.kind == kind
    assert "more than 64 MB" in error.message
    assert left.items() >= NOTHING.items()


@pytest.mark.parametrize(
    "fault",
    [
        answer(404, b'{"message": "gone"}' + b" " * 2**22),
        answer(404, b'{"message": "gone"}', length=500, stays=False),
        answer(404, gzip.compress(b"gone")[:-4], Content_Encoding="gzip"),
        answer(404, b"no gzip at all", Content_Encoding="gzip"),
    ],
    ids=["long", "short", "half a gzip", "no gzip"],
)
async def test_the_body_of_an_error_hides_no_status(wire: Wire, fault: Fault) -> None:
    wire.server.meet(fault)
    async with wire.opened() as client:
        error = await client.fail()

    assert (error.kind, error.status) == ("not_found", 404)


async def test_a_long_error_is_not_read_to_its_end(wire: Wire) -> None:
    wire.server.meet(answer(404, b" " * 2**23))
    async with wire.opened() as client:
        await client.fail()
        await client.send()

    assert wire.server.connections == 2


@pytest.mark.parametrize("fault", [stall, stall_within, trickle])
@pytest.mark.parametrize(("tool", "kind"), [(READ, "timeout"), (WRITE, "outcome_unknown")])
async def test_a_request_takes_no_longer_than_it_may(
    wire: Wire, fault: Fault, tool: str, kind: str
) -> None:
    wire.server.meet(fault)
    async with wire.opened(TALONONE_TIMEOUT="0.5") as client:
        with anyio.fail_after(5):
            error = await client.fail(tool)

    assert error.kind == kind
    assert "0.5 s" in error.message


async def test_an_export_that_flows_may_take_longer(wire: Wire) -> None:
    """It trickles for as long as nobody ends it; what may not take long is each piece."""
    sink = Kept()
    wire.server.meet(trickle)
    async with wire.opened(TALONONE_TIMEOUT="1") as client:
        with anyio.move_on_after(2.5) as ended:
            await client.send(EXPORT, sink=sink)

    assert ended.cancelled_caught
    assert sink.begun == 1
    assert sink.content == b"x" * len(sink.content)
    assert sink.content


async def test_an_export_that_breaks_begins_anew(wire: Wire) -> None:
    sink = Kept()
    text = "\ufeffvalue,holder\nA,1\nB,2\n".encode()
    wire.server.meet(answer(200, text, "text/csv", length=500, stays=False))
    wire.server.meet(answer(200, gzip.compress(text), "text/csv", Content_Encoding="gzip"))
    async with wire.opened() as client:
        answered = await client.send(EXPORT, sink=sink)

    assert answered == Answer(200, None)
    assert sink.begun == 2
    assert sink.content == b"value,holder\nA,1\nB,2\n"


async def test_an_empty_export_is_begun_as_well(wire: Wire) -> None:
    sink = Kept()
    wire.server.meet(answer(200, b"", "text/csv"))
    async with wire.opened() as client:
        await client.send(EXPORT, sink=sink)

    assert (sink.begun, sink.content) == (1, b"")


@pytest.mark.parametrize("status", [200, 404])
async def test_what_is_no_export_does_not_get_into_the_sink(wire: Wire, status: int) -> None:
    sink = Kept()
    wire.server.meet(*[answer(status, b"<title>Sign in</title>", "text/html")] * 4)
    async with wire.opened() as client:
        await client.fail(EXPORT, sink=sink)
        assert client.under_way().items() >= NOTHING.items()

    assert sink.begun == 0


async def test_what_a_sink_raises_ends_the_call(wire: Wire) -> None:
    class Full(Kept):
        async def write(self, chunk: bytes) -> None:
            raise OSError(28, "No space left on device")

    wire.server.meet(answer(200, b"value\n" * 10_000, "text/csv"))
    async with wire.opened() as client:
        with pytest.raises(OSError, match="No space"):
            await client.send(EXPORT, sink=Full())
        await client.send()

    assert len(wire.server.received) == 2


@pytest.mark.parametrize("fault", [stall, stall_within, trickle])
@pytest.mark.parametrize("tool", [READ, WRITE, EXPORT])
async def test_a_cancelled_call_stops_at_once_and_leaves_nothing(
    wire: Wire, fault: Fault, tool: str
) -> None:
    wire.server.meet(fault)
    async with wire.opened() as client:
        files, tasks_before = descriptors(), client.under_way()["tasks"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(client.send, tool, sink=Kept() if tool == EXPORT else None))
            await wire.server.reached(1)
            tasks.cancel_scope.cancel()

        assert client.under_way() == NOTHING | {"tasks": tasks_before}
        assert descriptors() <= files + 2  # both ends of an idle connection


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("tool", [READ, WRITE])
async def test_a_host_that_cancels_a_call_ends_its_request(
    catalog: Catalog, wire: Wire, tool: str, mode: str
) -> None:
    environment = {"TALONONE_BASE_URL": wire.server.url, "TALONONE_MANAGEMENT_KEY": KEY}
    server = build_server(load_settings({"confirm": "off"}, environment), catalog)
    wire.server.meet(stall)
    arguments = {"applicationId": 42, "campaignId": 18}
    with anyio.fail_after(10):
        async with McpClient(server, mode=mode) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, tool, arguments)
                await wire.server.reached(1)
                tasks.cancel_scope.cancel()
            await wire.server.left()


async def test_a_call_that_is_cancelled_while_it_waits_leaves_no_trace(wire: Wire) -> None:
    wire.server.meet(*[stall] * 3)
    async with wire.opened() as client:
        before = client.under_way()
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(client.send)
            await wire.server.reached(3)
            tasks.cancel_scope.cancel()
        left = client.under_way()
        await client.send()

    assert left == before


async def test_a_call_that_is_cancelled_when_it_has_just_connected_leaves_no_connection(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = httpcore.AnyIOBackend.connect_tcp

    async def connect_and_cancel(*given: Any, **named: Any) -> Any:
        stream = await connect(*given, **named)
        scope.cancel()
        return stream

    async with wire.opened() as client:
        with monkeypatch.context() as patch, anyio.CancelScope() as scope:
            patch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_and_cancel)
            await client.send()
        assert scope.cancelled_caught
        assert client.under_way().items() >= NOTHING.items()
        await client.send()


async def test_a_call_that_was_cancelled_before_it_began_holds_nobody_up(wire: Wire) -> None:
    async with wire.opened() as client:
        for _ in range(5):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.send()
        left = client.under_way()
        with anyio.fail_after(5):
            await client.send()

    assert left.items() >= NOTHING.items()
    assert wire.time.now == 100.0
    assert len(wire.server.received) == 1


async def test_a_request_that_fails_before_it_has_a_connection_holds_nobody_up() -> None:
    admission, request = PoolAdmission(), httpx.Request("GET", "https://acme.example")
    for _ in range(2):
        with pytest.raises(ValueError, match="too early"), anyio.fail_after(5):
            async with admission.admitted(request, lambda: None):
                raise ValueError("too early")


async def test_a_certificate_that_changes_is_not_accepted(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time, ours, another = Leaping(), Authority("ours"), Authority("another")
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.certificate_in(tmp_path)))
    with faulty(lambda: time.now, tls=ours.context(tmp_path)) as server:
        server.meet(CLOSES_IDLE)
        async with Wire(server, time, catalog).opened() as client:
            await client.send()
            server.tls = another.context(tmp_path)
            error = await client.fail(WRITE)

    assert (error.kind, error.retryable) == ("unreachable", False)
    assert "Nothing was sent" in error.hint
    assert "SSL_CERT_FILE" in error.hint
    assert server.paths == ["/v1/x"]
    assert server.connections == 2


async def test_what_breaks_within_tls_is_a_broken_connection(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def garbled(connection: socket.socket, _: Faulty) -> bool:
        socket.socket.send(connection, b"HTTP/1.1 200 OK\r\n\r\n, past the encryption")
        return False

    time, ours = Leaping(), Authority("ours")
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.certificate_in(tmp_path)))
    with faulty(lambda: time.now, tls=ours.context(tmp_path)) as server:
        server.meet(garbled)
        async with Wire(server, time, catalog).opened() as client:
            error = await client.fail(WRITE)
            await client.send(WRITE)

    assert error.kind == "outcome_unknown"


async def test_a_key_that_is_cut_by_two_pieces_gets_into_no_export(wire: Wire) -> None:
    sink = Kept()
    row = json.dumps({"key": KEY}).encode() + b"\n"
    wire.server.meet(answer(200, row * 10_000, "text/csv"))
    async with wire.opened() as client:
        await client.send(EXPORT, sink=sink)

    assert KEY.encode() not in sink.content
    assert sink.content == row.replace(KEY.encode(), b"[secret]") * 10_000
