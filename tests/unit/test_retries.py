"""What the client sends again, when, and what it never does."""

from __future__ import annotations

import socket
from pathlib import Path

import anyio
import pytest

from talonone_mcp.core.clock import Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import silent
from talonone_mcp.upstream.http_messages import Request
from talonone_mcp.upstream.retries import Retries
from tests.clocks import Leaping
from tests.faulty import GOOD, SHORT, Fault, answer, reset, reset_unread, stall
from tests.wired import IMPORT, READ, WRITE, Wire

pytestmark = pytest.mark.anyio
BUSY = answer(503, b"busy", "text/plain")
LIMITED = answer(429, b"{}")


@pytest.mark.parametrize("fault", [BUSY, answer(502), answer(504), reset, reset_unread, SHORT])
async def test_a_read_is_sent_again_until_it_works(wire: Wire, fault: Fault) -> None:
    wire.server.meet(fault, fault, fault)
    answered = await wire.send(READ)

    assert answered.body == {"id": 18}
    assert all(
        0 <= slept <= most for slept, most in zip(wire.time.slept, (0.25, 0.5, 1), strict=False)
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(BUSY, "upstream"), (answer(502), "outcome_unknown"), (answer(504), "outcome_unknown"),
     (reset, "outcome_unknown"), (SHORT, "outcome_unknown"), (answer(200, b"{"), "outcome_unknown"),
     (answer(500), "upstream"), (answer(404, b"{}"), "not_found")],
)  # fmt: skip
async def test_a_write_that_may_have_been_done_is_never_sent_again(
    wire: Wire, fault: Fault, kind: str
) -> None:
    wire.server.meet(fault)
    error = await wire.fail(WRITE)

    assert (error.kind, error.retryable) == (kind, False)
    assert wire.server.paths == ["/v1/x"]
    if kind == "outcome_unknown":
        assert "get_campaign" in error.hint


@pytest.mark.parametrize("fault", [answer(500), answer(501), answer(404, b"{}"), answer(200, b"[")])
async def test_what_will_not_change_is_asked_once(wire: Wire, fault: Fault) -> None:
    wire.server.meet(fault)
    await wire.fail(READ)

    assert len(wire.server.paths) == 1


@pytest.mark.parametrize(("drawn", "waits"), [(1.0, [0.25, 0.5, 1.0]), (0.0, [0.0, 0.0, 0.0])])
async def test_waits_are_drawn_below_a_bound_that_doubles(drawn: float, waits: list[float]) -> None:
    time = Leaping()

    async def attempt() -> None:
        raise CallError("unreachable", "Nobody is there.", retryable=True)

    with pytest.raises(CallError):
        await Retries(time.clock, lambda: drawn).run(attempt, ends=1_000, progress=silent)

    assert time.slept == waits


@pytest.mark.parametrize("tool", [READ, WRITE])
async def test_a_429_is_obeyed_and_then_sent_again(wire: Wire, tool: str) -> None:
    wire.server.meet(answer(429, b"{}", Retry_After="7"), LIMITED)
    await wire.send(tool)

    first, second, third = (each.at for each in wire.server.received)
    assert second >= first + 7
    assert third >= second + 1


async def test_a_429_may_name_a_date(wire: Wire) -> None:
    date, until = "Sun, 06 Nov 2044 08:49:37 GMT", "Sun, 06 Nov 2044 08:49:42 GMT"
    wire.server.meet(answer(429, b"{}", Date=date, Retry_After=until))
    await wire.send(READ)

    first, second = (each.at for each in wire.server.received)
    assert 5 <= second - first < 6


@pytest.mark.parametrize("value", ["soon", "-3", "", "1e9", "\u0663", "Sun, 99 Nov", "9" * 400])
async def test_a_senseless_retry_after_harms_nothing(wire: Wire, value: str) -> None:
    wire.server.meet(answer(429, b"{}", Retry_After=value), GOOD)
    try:
        await wire.send(READ)
    except CallError as error:
        assert error.kind == "rate_limited"

    assert wire.time.now <= 103


@pytest.mark.parametrize("deadline", ["120", "86400"])
async def test_who_would_have_to_wait_too_long_is_told_at_once(wire: Wire, deadline: str) -> None:
    wire.server.meet(answer(429, b"{}", Retry_After="3600"))
    error = await wire.fail(READ, TALONONE_DEADLINE=deadline)

    assert (error.kind, error.retryable) == ("rate_limited", True)
    assert "after 3600 s" in error.hint
    assert wire.time.now == 100.0


async def test_the_pause_of_a_503_is_kept(wire: Wire) -> None:
    wire.server.meet(answer(503, b"", Retry_After="9"))
    await wire.send(READ)

    assert 9 <= wire.time.now - 100 <= 9.25


async def test_no_call_is_made_more_than_four_times(wire: Wire) -> None:
    wire.server.meet(*[BUSY] * 10)
    error = await wire.fail(READ)

    assert (error.kind, error.status) == ("upstream", 503)
    assert error.hint.startswith("Tried 4 times.")
    assert len(wire.server.received) == 4


async def test_a_bad_minute_is_no_storm(wire: Wire) -> None:
    """Retries are a tenth of the calls, and ten more to begin with."""
    wire.server.meet(*[BUSY] * 10_000)
    async with wire.opened() as client:
        for number in range(100):
            await client.fail(READ, Request(f"/v1/{number}"))

    seconds = wire.time.now - 100
    assert 110 <= len(wire.server.received) <= 100 + 10 + 100 * 0.1 + seconds * 0.1


@pytest.mark.parametrize("tool", [READ, WRITE])
async def test_whoever_was_not_reached_is_called_again(wire: Wire, tool: str) -> None:
    """Nothing was sent, so that this holds for a write as well."""
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # it does not listen
        url = f"http://127.0.0.1:{refusing.getsockname()[1]}"
        error = await wire.fail(tool, TALONONE_BASE_URL=url)

    assert (error.kind, error.retryable) == ("unreachable", True)
    assert "Tried 4 times. Nothing was sent." in error.hint
    assert len(wire.time.slept) == 3


@pytest.mark.parametrize("fault", [BUSY, answer(429, b"{}", Retry_After="40")])
async def test_no_retry_begins_beyond_the_deadline(wire: Wire, fault: Fault) -> None:
    wire.server.meet(*[fault] * 10)
    await wire.fail(READ, TALONONE_DEADLINE="50")

    assert wire.time.now <= 150


async def test_who_oversleeps_the_deadline_says_what_went_wrong_before() -> None:
    time, attempts = Leaping(), []

    async def oversleep(seconds: float) -> None:
        await time.sleep(seconds + 10)

    async def attempt() -> None:
        attempts.append(time.now)
        raise CallError("unreachable", "Nobody is there.", retryable=True)

    retries = Retries(Clock(monotonic=lambda: time.now, sleep=oversleep))
    with pytest.raises(CallError, match="Nobody is there"):
        await retries.run(attempt, ends=105, progress=silent)

    assert attempts == [100.0]


async def test_a_call_whose_turn_does_not_come_says_so(wire: Wire) -> None:
    async with wire.opened(TALONONE_DEADLINE="0.5") as client:
        for _ in range(3):
            await client.send(WRITE)
        error = await client.fail(WRITE, Request("/v1/fourth"))

    assert (error.kind, error.retryable) == ("rate_limited", True)
    assert "0.5 s" in error.message
    assert "/v1/fourth" not in wire.server.paths


async def test_attempts_are_reported(wire: Wire) -> None:
    said: list[str] = []

    async def progress(done: float, total: float | None, message: str) -> None:
        said.append(message)

    wire.server.meet(BUSY)
    await wire.send(READ, progress=progress)

    [message] = said
    assert message.startswith("Attempt 2 of 4 in 0.")


@pytest.mark.parametrize(("tool", "kind"), [(READ, "timeout"), (WRITE, "outcome_unknown")])
async def test_a_request_that_hangs_is_given_up_once(wire: Wire, tool: str, kind: str) -> None:
    wire.server.meet(stall)
    with anyio.fail_after(5):
        error = await wire.fail(tool, TALONONE_TIMEOUT="0.5")

    assert error.kind == kind
    assert len(wire.server.received) == 1


async def test_a_file_is_sent_from_its_beginning_each_time(wire: Wire, tmp_path: Path) -> None:
    """Larger than one piece of it, and refused at first."""
    file = tmp_path / "codes.csv"
    file.write_bytes(b"value\n" + b"CODE\n" * 40_000)
    wire.server.meet(LIMITED)
    request = Request("/v1/x", content=file, form_field="upFile")
    async with wire.opened() as client:
        await client.send(IMPORT, request)

    first, second = wire.server.received
    for each in (first, second):
        assert file.read_bytes() in each.body
        assert b'name="upFile"; filename="import.csv"' in each.body


async def test_a_file_that_is_gone_is_no_crash(wire: Wire, tmp_path: Path) -> None:
    request = Request("/v1/x", content=tmp_path / "gone.csv", form_field="upFile")
    async with wire.opened() as client:
        error = await client.fail(IMPORT, request)

    assert error.kind == "invalid_arguments"
    assert wire.server.received == []
