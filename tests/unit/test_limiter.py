"""Never more than three requests in a second to one endpoint, and nearly as many."""

from __future__ import annotations

import anyio
import pytest

from talonone_mcp.store.pace import MAX_PAUSE_S, Departure, Endpoint, MemoryPace
from talonone_mcp.upstream.limiter import Limiter
from tests.clocks import Leaping, Shared

pytestmark = pytest.mark.anyio
HERE = "https://acme.example"
X = Endpoint(HERE, "GET /x")


async def leave(limiter: Limiter, endpoint: str = "GET /x", deployment: str = HERE) -> Departure:
    """Send one request that arrives at once and is never answered."""
    departure = await limiter.depart(Endpoint(deployment, endpoint))
    limiter.leave(departure)
    return departure


async def leave_together(limiter: Limiter, count: int) -> list[tuple[int, Departure]]:
    """Send many requests at once; return them in the order in which they left."""
    left: list[tuple[int, Departure]] = []

    async def one(number: int) -> None:
        left.append((number, await leave(limiter)))

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(one, number)
    return left


async def test_no_second_has_more_than_three() -> None:
    left = await leave_together(Limiter(Leaping().clock), 30)

    times = [departure.left_at for _, departure in left]
    gaps = [fourth - first for first, fourth in zip(times, times[3:], strict=False)]
    assert min(gaps) >= 1


@pytest.mark.parametrize("pause", [0.0, 0.3, 0.6, 0.99])
async def test_whoever_comes_within_the_second_waits_for_its_end(pause: float) -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    for _ in range(3):
        await leave(limiter)
    time.now += pause

    assert (await leave(limiter)).left_at >= 101


async def test_the_permitted_rate_is_nearly_reached() -> None:
    time = Leaping()
    await leave_together(Limiter(time.clock), 30)

    assert time.now - 100.0 <= (30 / 3 - 1) / 0.97


async def test_a_limit_that_is_passed_in_is_kept() -> None:
    time = Leaping()
    limiter = Limiter(time.clock, MemoryPace(time.clock, max_requests=1, period_s=5))

    first, second = await leave(limiter), await leave(limiter)

    assert first.left_at == 100.0
    assert 105 <= second.left_at < 105.1


async def test_an_answer_makes_the_margin_smaller_and_never_the_second() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    for _ in range(3):
        departure = await leave(limiter)
        limiter.answered(departure)
        limiter.done(departure)
    fourth = await leave(limiter)

    assert 101 < fourth.left_at < 101.01


async def test_whoever_came_first_leaves_first() -> None:
    left = await leave_together(Limiter(Leaping().clock), 12)

    assert [number for number, _ in left] == list(range(12))


async def test_whoever_comes_when_a_place_has_just_become_free_stands_behind() -> None:
    time = Shared()
    limiter = Limiter(time.clock)
    order: list[str] = []

    async def one(name: str) -> None:
        await leave(limiter)
        order.append(name)

    for _ in range(3):
        await leave(limiter)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, "first")
        await anyio.wait_all_tasks_blocked()
        time.now += 5  # the first has not woken up yet
        tasks.start_soon(one, "second")
        async with time.passing():
            await time.sleep(1)

    assert order == ["first", "second"]


async def test_neither_endpoints_nor_deployments_wait_for_one_another() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    for deployment in (HERE, "https://other.example"):
        for endpoint in ("GET /a", "GET /b", "POST /a"):
            for _ in range(3):
                await leave(limiter, endpoint, deployment)

    assert time.now == 100.0


async def test_a_late_start_counts_from_when_it_left() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    slow = await limiter.depart(X)
    assert not slow.sent
    time.now += 0.7  # connecting
    limiter.leave(slow)
    for _ in range(3):
        last = await leave(limiter)

    assert slow.sent
    assert last.left_at >= 100.7 + 1


async def test_whoever_still_connects_keeps_the_place_however_long_it_takes() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    connecting = [await limiter.depart(X) for _ in range(3)]
    time.now += 5
    left: list[Departure] = []

    async def fourth() -> None:
        left.append(await leave(limiter))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fourth)
        await anyio.wait_all_tasks_blocked()
        assert not left
        for departure in connecting:
            limiter.leave(departure)

    assert left[0].left_at >= 105 + 1


async def test_a_request_that_was_never_sent_gives_its_place_back() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    departures = [await limiter.depart(X) for _ in range(3)]
    left: list[Departure] = []

    async def fourth() -> None:
        left.append(await leave(limiter))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fourth)
        await anyio.wait_all_tasks_blocked()
        limiter.done(departures[1])

    assert left[0].left_at == 100.0


@pytest.mark.parametrize("reported", [True, False])
async def test_a_cancelled_waiter_takes_no_place(reported: bool) -> None:
    time = Shared()
    limiter = Limiter(time.clock)
    said: list[str] = []

    async def progress(done: float, total: float | None, message: str) -> None:
        said.append(message)

    for _ in range(3):
        limiter.done(await leave(limiter))
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            if reported:
                tasks.start_soon(limiter.depart, X, progress)
            else:
                tasks.start_soon(limiter.depart, X)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    async with time.passing():
        departure = await limiter.depart(X)
        limiter.done(departure)

    assert 101 <= departure.left_at < 101.1
    assert limiter.open_departures == 0


async def test_a_wait_of_more_than_a_second_is_reported_about_once_a_second() -> None:
    time = Shared()
    limiter = Limiter(time.clock)
    reports: list[tuple[float, str]] = []

    async def progress(done: float, total: float | None, message: str) -> None:
        reports.append((time.now - 100, message))
        assert done == time.now - 100
        assert total is None

    async def one() -> None:
        limiter.leave(await limiter.depart(X, progress))

    async with time.passing(), anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(one)

    # In the second and third seconds the last six wait, in the third the last three.
    assert [at for at, _ in reports] == [1.0] * 9 + [2.0] * 6 + [3.0] * 3
    assert "GET /x, about 2 s more" in reports[8][1]


async def test_a_call_that_is_cancelled_while_its_last_report_is_sent_takes_no_place() -> None:
    time = Shared()
    limiter = Limiter(time.clock)
    sent = anyio.Event()

    async def progress(done: float, total: float | None, message: str) -> None:
        with anyio.CancelScope(shield=True):
            await sent.wait()

    for _ in range(3):
        limiter.done(await leave(limiter))
    async with time.passing(), anyio.create_task_group() as tasks:
        tasks.start_soon(limiter.depart, X, progress)
        await time.sleep(1.5)
        granted = limiter.open_departures
        tasks.cancel_scope.cancel()
        sent.set()

    assert granted == 1
    assert limiter.open_departures == 0


@pytest.mark.parametrize("asked", [0.2, 7])
async def test_a_429_stops_the_endpoint_for_everyone_and_no_other(asked: float) -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    limiter.answered(await leave(limiter), pause_s=asked)
    await leave(limiter, "GET /y")
    assert time.now == 100.0

    assert (await leave(limiter)).left_at == pytest.approx(100 + asked)


async def test_a_429_stops_no_endpoint_for_ever() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    limiter.answered(await leave(limiter), pause_s=1e9)

    assert (await leave(limiter)).left_at == 100 + MAX_PAUSE_S


async def seconds_for_three(limiter: Limiter, time: Leaping) -> float:
    """Return how long three requests keep the fourth waiting, with nothing before them."""
    time.now += 20
    began = time.now
    for _ in range(3):
        await leave(limiter)
    return (await leave(limiter)).left_at - began


async def test_a_429_halves_the_rate_which_returns_step_by_step() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    limiter.answered(await leave(limiter), pause_s=0)
    rates = []
    for _ in range(6):
        rates.append(await seconds_for_three(limiter, time))
        time.now += 20
        limiter.answered(await leave(limiter))

    assert rates[0] == pytest.approx(2, abs=0.05)
    assert rates == sorted(rates, reverse=True)
    assert rates[1] < rates[0]
    assert rates[-1] == pytest.approx(1, abs=0.05)


async def test_three_refusals_at_once_are_one() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    together = [await leave(limiter) for _ in range(3)]
    time.now += 0.1
    for departure in together:
        limiter.answered(departure, pause_s=0)

    assert await seconds_for_three(limiter, time) == pytest.approx(2, abs=0.05)


async def test_endpoints_that_nobody_calls_are_forgotten() -> None:
    time = Leaping()
    pace = MemoryPace(time.clock)
    limiter = Limiter(time.clock, pace)
    for number in range(1_000):
        limiter.done(await leave(limiter, f"GET /{number}"))
        time.now += 0.1

    assert pace.endpoints < 20


async def test_a_slowed_endpoint_is_remembered_for_a_while() -> None:
    time = Leaping()
    limiter = Limiter(time.clock)
    departure = await leave(limiter)
    limiter.answered(departure, pause_s=0)
    limiter.done(departure)
    time.now += 30
    await leave(limiter, "GET /other")

    assert await seconds_for_three(limiter, time) == pytest.approx(2, abs=0.05)
