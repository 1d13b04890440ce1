"""Never more than three requests in a second to one endpoint, and nearly as many."""

from __future__ import annotations

import anyio
import pytest

from talonone_mcp.client.limiter import Departure, Limiter

pytestmark = pytest.mark.anyio


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.now += seconds

    def limiter(self) -> Limiter:
        return Limiter(clock=lambda: self.now, sleep=self.sleep)


async def depart_together(limiter: Limiter, count: int) -> list[tuple[int, Departure]]:
    """Start many requests at once; return them in the order in which they left."""
    left: list[tuple[int, Departure]] = []

    async def one(number: int) -> None:
        departure = await limiter.depart("GET /x")
        left.append((number, departure))

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(one, number)
    return left


async def test_no_second_has_more_than_three() -> None:
    left = await depart_together(Time().limiter(), 30)

    times = [departure.at for _, departure in left]
    gaps = [fourth - first for first, fourth in zip(times, times[3:], strict=False)]
    assert min(gaps) >= 1


async def test_the_permitted_rate_is_nearly_reached() -> None:
    time = Time()
    await depart_together(time.limiter(), 30)

    assert time.now - 100.0 <= 30 / 3 * 0.97


async def test_whoever_came_first_leaves_first() -> None:
    left = await depart_together(Time().limiter(), 12)

    assert [number for number, _ in left] == list(range(12))


async def test_endpoints_do_not_wait_for_one_another() -> None:
    time = Time()
    limiter = time.limiter()
    for endpoint in ("GET /a", "GET /b", "POST /a"):
        for _ in range(3):
            await limiter.depart(endpoint)

    assert time.now == 100.0


async def test_a_late_start_counts_from_when_it_left() -> None:
    time = Time()
    limiter = time.limiter()
    slow = await limiter.depart("GET /x")
    assert not slow.sent
    time.now += 0.7  # connecting
    limiter.leave(slow)
    for _ in range(3):
        last = await limiter.depart("GET /x")

    assert slow.sent
    assert last.at >= 100.7 + 1


async def test_a_cancelled_waiter_takes_no_place() -> None:
    time = Time()
    forever = anyio.Event()

    async def sleep(seconds: float) -> None:
        await forever.wait() if not cancelled else await time.sleep(seconds)

    cancelled = False
    limiter = Limiter(clock=lambda: time.now, sleep=sleep)
    for _ in range(3):
        await limiter.depart("GET /x")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(limiter.depart, "GET /x")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    cancelled = True

    departure = await limiter.depart("GET /x")

    assert 101 <= departure.at < 101.1
