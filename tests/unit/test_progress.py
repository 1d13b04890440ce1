"""A client that asks for it hears how far its call is; one that does not listen loses nothing."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.progress import Progress
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.server.reporting import progress_to
from tests.lists import LongList, numbered
from tests.upstream import serve

pytestmark = pytest.mark.anyio
Reports = list[tuple[float, float | None, str | None]]
LISTED = {"applicationId": 1, "campaignId": 1, "fetchAll": 120}


async def reported(catalog: Catalog, mode: str, app: LongList, skip: int = 0) -> Reports:
    """Call for all pages of a list and return what the client was told."""
    reports: Reports = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        reports.append((progress, total, message))

    with serve(app) as upstream:
        environment = {"TALONONE_BASE_URL": upstream.url, "TALONONE_MANAGEMENT_KEY": "key"}
        async with Client(
            build_server(load_settings({}, environment), catalog), mode=mode
        ) as client:
            result = await client.call_tool(
                "list_achievements", LISTED | {"skip": skip}, progress_callback=listen
            )
    assert not result.is_error
    return reports


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(("counted", "total"), [(True, 120), (False, None)])
async def test_each_page_is_reported(
    catalog: Catalog, mode: str, counted: bool, total: int | None
) -> None:
    reports = await reported(catalog, mode, LongList(numbered(200), counted))

    assert [report[:2] for report in reports] == [(50, total), (99, total), (120, total)]
    assert reports[-1][2] == "120 items of list_achievements"


async def test_the_total_is_what_the_list_holds_from_there_on(catalog: Catalog) -> None:
    reports = await reported(catalog, "auto", LongList(numbered(70)), skip=10)

    assert [report[:2] for report in reports] == [(50, 60), (60, 60)]


# --- What the protocol demands of any sequence of reports ----------------------------------------


def listener(told: Callable[[float, float | None, str], Awaitable[None]], **how: Any) -> Progress:
    ctx: Any = SimpleNamespace(session=SimpleNamespace(report_progress=told))
    return progress_to(ctx, **how)


amounts = st.floats(0, 1e12, allow_nan=False)


@given(st.lists(st.tuples(amounts, st.none() | amounts)))
def test_progress_always_increases(steps: list[tuple[float, float | None]]) -> None:
    heard: list[tuple[float, float | None]] = []

    async def told(done: float, total: float | None, _: str) -> None:
        heard.append((done, total))

    async def run() -> None:
        report = listener(told)
        for done, total in steps:
            await report(done, total, "x")

    anyio.run(run)
    assert len(heard) == len(steps)
    assert all(a < b for (a, _), (b, _) in pairwise(heard))
    assert all(total is None or done <= total for done, total in heard)
    for (done, total), (said, limit) in zip(heard, steps, strict=True):
        assert total in (None, limit)
        assert done >= said


@pytest.mark.parametrize(
    "failure", [anyio.ClosedResourceError(), anyio.BrokenResourceError(), RuntimeError("gone")]
)
async def test_a_client_that_is_gone_is_told_nothing_more(failure: Exception) -> None:
    tries = 0

    async def told(*_: Any) -> None:
        nonlocal tries
        tries += 1
        raise failure

    report = listener(told)
    for done in range(3):
        await report(done, None, "x")

    assert tries == 1


async def test_a_client_that_does_not_read_holds_nothing_up() -> None:
    tries = 0

    async def told(*_: Any) -> None:
        nonlocal tries
        tries += 1
        await anyio.sleep(math.inf)

    report = listener(told, patience=0)
    for done in range(3):
        await report(done, None, "x")

    assert tries == 1


async def test_a_report_cut_short_is_not_the_last() -> None:
    heard: list[float] = []

    async def told(done: float, *_: Any) -> None:
        await anyio.lowlevel.checkpoint()
        heard.append(done)

    report = listener(told)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await report(1, None, "a wait that is over")
    await report(2, None, "x")

    assert heard == [2]


async def test_a_call_that_is_given_up_is_not_kept_by_its_report() -> None:
    async def told(*_: Any) -> None:
        await anyio.sleep(math.inf)

    report = listener(told, patience=math.inf)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(report, 1.0, None, "x")  # type: ignore[arg-type]
            await anyio.wait_all_tasks_blocked()
            scope.cancel()

    assert scope.cancelled_caught
