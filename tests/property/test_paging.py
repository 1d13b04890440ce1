"""What `fetchAll` promises of a list that changes in any way while it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
from hypothesis import example, given
from hypothesis import strategies as st

from talonone_mcp.calls.paging import Pages, fetch_all
from talonone_mcp.core import catalog
from talonone_mcp.core.progress import Progress
from talonone_mcp.upstream.http_messages import Answer

# Between two pages, items come in and go out at these places.
changes = st.lists(
    st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=4), min_size=0, max_size=12
)
lists = catalog.load().operations["list_achievements"]


class Upstream:
    """A list of numbers with pages of up to `largest`, and what has ever been in it."""

    def __init__(self, length: int, counted: bool, steps: list[list[tuple[bool, int]]]) -> None:
        self.now = list(range(length))
        self.always = set(self.now)
        self.ever = set(self.now)
        self.counted = counted
        self.steps = list(steps)
        self.requests = 0

    async def send(self, arguments: Mapping[str, Any], _: Progress) -> Answer:
        self.requests += 1
        skip, size = arguments["skip"], arguments["pageSize"]
        data = [{"id": number} for number in self.now[skip : skip + size]]
        more = {"hasMore": skip + size < len(self.now)}
        body = {"data": data, **({"totalResultSize": len(self.now)} if self.counted else more)}
        for comes, place in self.steps.pop(0) if self.steps else ():
            self.change(comes, place)
        return Answer(200, body)

    def change(self, comes: bool, place: int) -> None:
        if comes:
            new = max(self.ever, default=0) + 1
            self.ever.add(new)
            self.now.insert(place, new)
        elif place < len(self.now):
            self.always.discard(self.now.pop(place))


def read(
    upstream: Upstream, largest: int, limit: int, skip: int
) -> tuple[list[int], Pages, list[float]]:
    reported: list[float] = []
    schema = {"properties": {"pageSize": {"maximum": largest}}}
    operation = replace(lists, input_schema=schema)

    async def progress(done: float, total: float | None, _: str) -> None:
        assert total is None or total >= done
        reported.append(done)

    async def run() -> tuple[Answer, Pages]:
        return await fetch_all(
            operation, {"fetchAll": limit, "skip": skip}, upstream.send, progress
        )

    answer, pages = anyio.run(run)
    return [item["id"] for item in answer.body["data"]], pages, reported


@given(st.integers(0, 40), st.booleans(), changes, st.integers(2, 7), st.integers(1, 60))
@example(10, False, [[(False, 0)]], 4, 5)  # the last page brings one more than is wanted
def test_nothing_comes_twice_and_nothing_is_missing_in_silence(
    length: int, counted: bool, steps: list[list[tuple[bool, int]]], largest: int, limit: int
) -> None:
    upstream = Upstream(length, counted, steps)

    got, pages, reported = read(upstream, largest, limit, 0)

    assert len(got) == len(set(got)) <= limit
    assert set(got) <= upstream.ever
    assert upstream.requests <= limit // (largest - 1) + 3
    assert reported == sorted(reported)
    if not pages.more and len(got) < limit:
        assert pages.changed or upstream.always <= set(got)


@given(st.integers(0, 40), st.booleans(), st.integers(2, 7), st.integers(1, 60), st.integers(0, 50))
def test_a_list_that_stays_is_read_as_it_is(
    length: int, counted: bool, largest: int, limit: int, skip: int
) -> None:
    upstream = Upstream(length, counted, [])

    got, pages, _ = read(upstream, largest, limit, skip)

    assert got == list(range(length))[skip : skip + limit]
    assert not pages.changed
    assert pages.more is (skip + limit < length)
