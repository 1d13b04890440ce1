"""The limiter's promise, for requests that come and connect at any time."""

from __future__ import annotations

import sys
import unicodedata

import anyio
from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.core.clock import Clock
from talonone_mcp.core.text import clean, one_line
from talonone_mcp.store.pace import Endpoint
from talonone_mcp.upstream.limiter import Limiter

seconds = st.floats(0, 3, allow_nan=False)


@given(st.lists(st.tuples(seconds, st.floats(0, 0.9)), min_size=1, max_size=40))
def test_three_a_second_however_they_come(arrivals: list[tuple[float, float]]) -> None:
    now = 0.0

    async def sleep(duration: float) -> None:
        nonlocal now
        now += duration

    async def run() -> list[float]:
        nonlocal now
        limiter = Limiter(Clock(monotonic=lambda: now, sleep=sleep))
        on_the_wire = []
        for pause, connecting in arrivals:
            now += pause
            departure = await limiter.depart(Endpoint("https://acme.example", "GET /x"))
            now += connecting
            limiter.leave(departure)
            on_the_wire.append(now)
        return on_the_wire

    times = anyio.run(run)
    for first, fourth in zip(times, times[3:], strict=False):
        assert fourth - first >= 1


@given(st.text(st.characters(exclude_categories=[])))
def test_cleaning_twice_is_cleaning_once_and_can_always_be_sent(text: str) -> None:
    cleaned = clean(text)

    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert set(cleaned) <= set(text)


@given(st.text(st.characters(exclude_categories=[])), st.integers(1, 50))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    assert len(one_line(text, limit).splitlines()) <= 1


SHOWN = set(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)


def test_no_control_or_format_character_survives_but_those_that_show() -> None:
    every = map(chr, range(sys.maxunicode + 1))
    hidden = {
        each for each in every if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }

    assert {each for each in hidden if clean(each)} == SHOWN | set("\t\n")
