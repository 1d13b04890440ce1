"""Whatever upstream and the network do, one after the other: what the client promises holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

import anyio
from hypothesis import example, given, settings
from hypothesis import strategies as st

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.errors import CallError, Kind
from talonone_mcp.upstream.http_messages import Answer, Request
from tests.faulty import (
    CLOSES_IDLE,
    GOOD,
    LONG,
    REDIRECT,
    SHORT,
    Fault,
    answer,
    reset,
    reset_unread,
    stall,
    stall_within,
    trickle,
)
from tests.wired import READ, WRITE, Wire, Wired, faulty_wire

ATTEMPTS = 4
FAULTS: dict[str, Fault] = {
    "good": GOOD,
    "429": answer(429, b"{}"),
    "429, 5 s": answer(429, b"{}", Retry_After="5"),
    "429, an hour": answer(429, b"{}", Retry_After="3600"),
    "429, and closes": answer(429, b"{}", stays=False),
    "500": answer(500, b'{"message": "no"}'),
    "502": answer(502, b"<title>Bad gateway</title>", "text/html"),
    "503, and closes": answer(503, b"", stays=False),
    "504": answer(504, b""),
    "404": answer(404, b'{"message": "no"}'),
    "redirect": REDIRECT,
    "no JSON": answer(200, b"<html>", "text/html"),
    "not UTF-8": answer(200, b'{"a": "\xff"}'),
    "short": SHORT,
    "long": LONG,
    "closes": CLOSES_IDLE,
    "reset": reset,
    "reset unread": reset_unread,
    "stall": stall,
    "stall within": stall_within,
    "trickle": trickle,
}
REFUSED = [name for name in FAULTS if name.startswith("429")]
scripts = st.lists(st.sampled_from(sorted(FAULTS)), max_size=8)
calls = st.lists(st.sampled_from([READ, WRITE]), min_size=1, max_size=6)


@settings(max_examples=100)
@given(calls, scripts)
@example([READ], ["502"] * 8)
@example([WRITE], ["503, and closes"])
@example([WRITE, READ] * 4, [])
def test_the_promises_hold_whatever_happens(
    catalog: Catalog, calls: Sequence[str], script: Sequence[str]
) -> None:
    with faulty_wire(catalog) as wire:
        wire.server.meet(*(FAULTS[name] for name in script))
        results = anyio.run(make, wire, calls)

        for tool, result in zip(calls, results, strict=True):
            assert isinstance(result, Answer) or result.kind in get_args(Kind)
            assert tool == READ or isinstance(result, Answer) or result.kind != "timeout"
        no_second_has_more_than_three(wire)
        no_write_is_done_twice(wire, calls, script)


async def make(wire: Wire, calls: Sequence[str]) -> list[Answer | CallError]:
    """Make the calls one after the other, each to a path of its own."""
    async with wire.opened(TALONONE_TIMEOUT="0.2") as client:
        before = client.under_way()
        results = [await outcome(client, tool, number) for number, tool in enumerate(calls)]
        assert client.under_way() == before
    return results


async def outcome(client: Wired, tool: str, number: int) -> Answer | CallError:
    try:
        return await client.send(tool, Request(f"/v1/{number}"))
    except CallError as error:
        return error


def no_second_has_more_than_three(wire: Wire) -> None:
    for method in ("GET", "DELETE"):
        times = [each.at for each in wire.server.received if each.method == method]
        for first, fourth in zip(times, times[3:], strict=False):
            assert fourth - first >= 1


def no_write_is_done_twice(wire: Wire, calls: Sequence[str], script: Sequence[str]) -> None:
    """A request that was received is followed by another of its call only after a 429."""
    met = [name for name in script if name != "reset unread"]
    read = zip(wire.server.received, [*met, *["good"] * len(wire.server.received)], strict=False)
    counted = Counter(each.path for each, fault in read if fault not in REFUSED)
    for number, tool in enumerate(calls):
        assert counted[f"/v1/{number}"] <= (1 if tool == WRITE else ATTEMPTS)
