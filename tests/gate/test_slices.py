"""However a gift is sliced, what goes unasked is never more than the policy's sum.

What was given is counted in the account, not by what the calls say.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from talonone_mcp.core.catalog import load
from talonone_mcp.core.errors import CallError
from talonone_mcp.sandbox.app import Sandbox
from tests.gate.cases import Counter, open_counter

EXAMPLES = int(os.environ.get("TALONONE_SLICES_EXAMPLES", "20"))
TASKS, PRINCIPALS = 8, 13
OF_ALL = 10  # times what one principal may give, all of them together
_SHARED = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # a store on a disk waits for it
_ROUNDING = 1e-6

_serial = count(1)


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a gift: a call, and how much it gives."""

    call: str
    arguments: dict[str, Any]
    amount: float


# --- Slices ---------------------------------------------------------------------------------------


def _to_customer(points: float) -> Slice:
    to = {"loyaltyProgramId": "5", "integrationId": "anna.schmidt"}
    return Slice("add_loyalty_points", to | {"points": points}, points)


def _to_card(points: float) -> Slice:
    to = {"loyaltyProgramId": 7, "loyaltyCardId": "loyalty-card-1"}
    return Slice("add_loyalty_card_points", to | {"points": points}, points)


def _by_platform(points: float) -> Slice:
    to = {"loyaltyProgramId": 5, "profileIntegrationId": "ben.weber"}
    return Slice("cep_add_loyalty_points", to | {"points": points}, points)


def _by_order(euros: int) -> Slice:
    """An order of which every euro earns a point."""
    item = {"name": "Jeans", "sku": "SKU-006", "quantity": 1, "price": euros}
    session = {
        "profileId": "carla.rossi",
        "state": "closed",
        "evaluableCampaignIds": [24],
        "cartItems": [item],
    }
    name = f"slice-{next(_serial)}"
    arguments = {"customerSessionId": name, "customerSession": session}
    return Slice("update_customer_session", arguments, euros)


def _of_codes(codes: int, uses: int) -> Slice:
    arguments = {"usageLimit": uses, "numberOfCoupons": codes}
    return Slice("create_coupons", _CAMPAIGN | arguments, codes * uses)


def _for_recipients(recipients: int, uses: int) -> Slice:
    names = [f"slice-{next(_serial)}" for _ in range(recipients)]
    arguments = {"usageLimit": uses, "recipientsIntegrationIds": names}
    return Slice("create_coupons_for_recipients", _CAMPAIGN | arguments, recipients * uses)


def _issued(uses: int) -> Slice:
    arguments = {"campaign": 18, "customer": f"slice-{next(_serial)}", "usageLimit": uses}
    return Slice("issue_coupon", arguments, uses)


_CAMPAIGN = {"applicationId": 42, "campaignId": 18}
_few = st.integers(1, 400)
_some = _few | st.floats(0.01, 400, allow_nan=False).map(lambda points: round(points, 2) or 0.01)
_points = st.one_of(
    st.builds(_to_customer, _some | st.integers(900, 1100)),
    st.builds(_to_card, _some),
    st.builds(_by_platform, _some),
    st.builds(_by_order, _few),
)
_codes = st.one_of(
    st.builds(_of_codes, st.integers(1, 12), st.integers(1, 12)),
    st.builds(_for_recipients, st.integers(1, 12), st.integers(1, 4)),
    st.builds(_issued, st.integers(1, 110)),
)


# --- What was given -------------------------------------------------------------------------------


def _points_there(sandbox: Sandbox) -> float:
    entries = sandbox.store.select("loyalty_entries")
    return float(sum(each["amount"] for each in entries if each["type"] == "addition"))


def _uses_there(sandbox: Sandbox) -> float:
    return float(sum(each["usageLimit"] for each in sandbox.store.select("coupons")))


@dataclass(frozen=True, slots=True)
class Purse:
    """What is given: its gifts, how much of it the account holds, and how much goes unasked."""

    gifts: st.SearchStrategy[list[Slice]]
    there: Callable[[Sandbox], float]
    bound: float


PURSES = {
    "points": Purse(st.lists(_points, min_size=2, max_size=12), _points_there, 1000),
    "codes": Purse(st.lists(_codes, min_size=2, max_size=12), _uses_there, 100),
}
each_purse = pytest.mark.parametrize("purse", PURSES.values(), ids=PURSES)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
by_one = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
by_many = settings(  # who make a hundred calls each time; to find fewer that fail takes minutes
    by_one, max_examples=max(EXAMPLES // 4, 1), phases=[Phase.reuse, Phase.generate]
)


def run(giving: Callable[[Path], Awaitable[float]]) -> float:
    """Return how much was given, with a state folder of its own."""

    async def with_folder() -> float:
        with tempfile.TemporaryDirectory(dir=_SHARED) as folder:
            return await giving(Path(folder))

    return anyio.run(with_folder)


async def give(counter: Counter, gift: Sequence[Slice], principal: str = "") -> None:
    """Make the calls of a gift in turn; its person says no to every question."""
    for part in gift:
        try:
            await counter.call(part.call, part.arguments, principal)
        except CallError as error:
            assert error.kind == "declined", (part, error.message, error.details)


def unasked(gift: Sequence[Slice], bound: float) -> float:
    """Return how much of a gift goes unasked, of slices given in turn."""
    total = 0.0
    for part in gift:
        if total + part.amount <= bound + _ROUNDING:
            total += part.amount
    return total


# --- Properties -----------------------------------------------------------------------------------


@each_purse
@by_one
@given(data=st.data())
def test_one_after_another(purse: Purse, data: st.DataObject) -> None:
    """Nothing is asked about needlessly, either: a slice that the sum has room for goes."""
    gift = data.draw(purse.gifts)

    async def giving(folder: Path) -> float:
        async with open_counter(load(), folder, verdict="no") as counter:
            before = purse.there(counter.sandbox)
            await give(counter, gift)
            return purse.there(counter.sandbox) - before

    assert run(giving) == pytest.approx(unasked(gift, purse.bound))


@each_purse
@by_one
@given(data=st.data())
def test_across_restarts(purse: Purse, data: st.DataObject) -> None:
    gift = data.draw(purse.gifts)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(gift) - 1), max_size=3)))
    parts = [gift[start:end] for start, end in pairwise([0, *cuts, len(gift)])]

    async def giving(folder: Path) -> float:
        async with open_counter(load(), folder, verdict="no") as first:
            before = purse.there(first.sandbox)
            for part in parts:
                async with open_counter(load(), folder, verdict="no", like=first) as counter:
                    await give(counter, part)
            return purse.there(first.sandbox) - before

    assert run(giving) == pytest.approx(unasked(gift, purse.bound))


@each_purse
@by_many
@given(data=st.data())
def test_from_eight_tasks_of_two_servers(purse: Purse, data: st.DataObject) -> None:
    gifts = data.draw(st.lists(purse.gifts, min_size=TASKS, max_size=TASKS))
    whole = sum(part.amount for gift in gifts for part in gift)

    async def giving(folder: Path) -> float:
        async with (
            open_counter(load(), folder, verdict="no") as first,
            open_counter(load(), folder, verdict="no", like=first) as second,
        ):
            before = purse.there(first.sandbox)
            async with anyio.create_task_group() as tasks:
                for number, gift in enumerate(gifts):
                    tasks.start_soon(give, (first, second)[number % 2], gift)
            return purse.there(first.sandbox) - before

    total = run(giving)
    assert total <= purse.bound + _ROUNDING
    assert total == pytest.approx(whole) or whole > purse.bound


@each_purse
@by_many
@given(data=st.data())
def test_by_many_principals(purse: Purse, data: st.DataObject) -> None:
    """A hundred small gifts of a hundred agents are a large one."""
    gifts = data.draw(st.lists(purse.gifts, min_size=PRINCIPALS, max_size=PRINCIPALS))

    async def giving(folder: Path) -> float:
        async with open_counter(load(), folder, verdict="no") as counter:
            before = purse.there(counter.sandbox)
            async with anyio.create_task_group() as tasks:
                for number, gift in enumerate(gifts):
                    tasks.start_soon(give, counter, gift, f"agent-{number}")
            return purse.there(counter.sandbox) - before

    assert run(giving) <= OF_ALL * purse.bound + _ROUNDING


@pytest.mark.anyio
async def test_a_day_later_the_sum_begins_anew(tmp_path: Path) -> None:
    all_of_it = [_to_customer(600), _to_card(400)]
    async with open_counter(load(), tmp_path, verdict="no") as counter:
        await give(counter, all_of_it)
        counter.time.advance(hours=23)
        await give(counter, [_to_customer(1)])
        assert len(counter.person.questions) == 1

        counter.time.advance(hours=2)
        await give(counter, all_of_it)
        assert len(counter.person.questions) == 1


@pytest.mark.anyio
async def test_what_a_person_agreed_to_leaves_the_sum_as_it_was(tmp_path: Path) -> None:
    async with open_counter(load(), tmp_path, verdict="yes") as counter:
        await give(counter, [_to_customer(5000)])
        assert len(counter.person.questions) == 1

        await give(counter, [_to_customer(600), _to_card(400)])
        assert len(counter.person.questions) == 1
        await give(counter, [_by_platform(1)])
        assert len(counter.person.questions) == 2


@pytest.mark.anyio
async def test_what_upstream_refuses_is_given_back(tmp_path: Path) -> None:
    async with open_counter(load(), tmp_path, verdict="no") as counter:
        too_narrow = {"couponPattern": "ONLY-ONE"}  # which makes no ninety codes
        with pytest.raises(CallError) as refused:
            await counter.call("create_coupons", _of_codes(90, 1).arguments | too_narrow)
        assert refused.value.kind == "invalid_arguments"

        await give(counter, [_of_codes(100, 1)])
        assert counter.person.questions == []
