"""Whatever is done to the sandbox in whatever order, what must hold there does.

Random sequences of operations run against the sandbox and against a small model of it: what there
is, how often each coupon was redeemed, and where every loyalty point is.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from talonone_mcp.core.catalog import load
from talonone_mcp.sandbox.app import Sandbox
from tests.sandbox.door import MANAGEMENT, SHOP
from tests.sandbox.wire import Wire

STEPS = 100
EXAMPLES = int(os.environ.get("TALONONE_SANDBOX_EXAMPLES", "160"))  # 16,000 steps
PARTS = 8  # so that every core has one
APPLICATION = "/v1/applications/42"
CAMPAIGN = f"{APPLICATION}/campaigns/18"
COUPONS = f"{CAMPAIGN}/coupons"
PROFILES, CARDS = "/v1/loyalty_programs/5/profile", "/v1/loyalty_programs/7/cards"
CUSTOMERS = st.sampled_from(["ada", "bob", "cleo"])
POINTS = st.integers(1, 500)
CATALOG = load()


@dataclass(slots=True)
class Coupon:
    """A coupon of the model: how often it may be used, and the sessions that used it."""

    id: int
    limit: int
    used_by: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Purse:
    """The points of a customer or a card, by how they got in and out."""

    added: int = 0
    spent: int = 0


class Account(RuleBasedStateMachine):
    """A shop's account in use."""

    def __init__(self) -> None:
        super().__init__()
        self.time = datetime(2026, 6, 15, 12, tzinfo=UTC)
        self.runner = asyncio.Runner()
        self.sandbox = Sandbox(CATALOG, limited=False, now=lambda: self.time)
        self.wire = Wire(self.sandbox, self.runner)
        self.coupons: dict[str, Coupon] = {}
        self.sessions: dict[str, tuple[str, str]] = {}  # state and code of each
        self.purses: dict[str, Purse] = defaultdict(Purse)
        self.cards: dict[str, Purse] = {}
        self.gone: dict[str, set[int]] = {"coupons": set(), "collections": set()}
        self.collections: dict[str, int] = {}
        self.blocked: set[str] = set()
        self.numbers = 0

    def teardown(self) -> None:
        self.sandbox.close()
        self.runner.close()

    def manage(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        return self.wire.send(method, path, MANAGEMENT, body, **query)

    def shop(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        return self.wire.send(method, path, SHOP, body, **query)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # --- Coupons, and the sessions that use them -------------------------------------------

    @initialize()
    def start_with_what_is_there(self) -> None:
        _, found = self.manage("GET", f"{COUPONS}/no_total")
        for coupon in found["data"]:
            self.gone["coupons"].add(coupon["id"])
        assert self.manage("DELETE", COUPONS) == (204, None)
        endless = {"name": "Summer", "tags": [], "limits": [], "features": ["coupons"],
                   "activeRulesetId": 118}  # fmt: skip
        assert self.manage("PUT", CAMPAIGN, endless)[0] == 200
        for customer in ("ada", "bob", "cleo"):
            assert self.shop("PUT", f"/v2/customer_profiles/{customer}-points", {})[0] == 200
        for limit in range(4):
            self.issue_coupons(2, limit)

    @rule(count=st.integers(1, 4), limit=st.integers(0, 3))
    def issue(self, count: int, limit: int) -> None:
        self.issue_coupons(count, limit)

    def issue_coupons(self, count: int, limit: int) -> None:
        body = {"numberOfCoupons": count, "usageLimit": limit}
        status, created = self.manage("POST", COUPONS, body, silent="no")
        assert status == 200
        for coupon in created["data"]:
            assert coupon["id"] not in self.gone["coupons"]
            assert coupon["value"] not in self.coupons
            self.coupons[coupon["value"]] = Coupon(coupon["id"], limit)

    @precondition(lambda self: self.coupons)
    @rule(data=st.data(), limit=st.integers(0, 3))
    def limit(self, data: st.DataObject, limit: int) -> None:
        coupon = self.coupons[self.code(data)]
        if limit and limit < len(coupon.used_by):
            return
        status, changed = self.manage("PUT", f"{COUPONS}/{coupon.id}", {"usageLimit": limit})
        assert (status, changed["usageLimit"]) == (200, limit)
        coupon.limit = limit

    @precondition(lambda self: self.coupons)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        code = self.code(data)
        coupon = self.coupons.pop(code)
        self.gone["coupons"].add(coupon.id)
        assert self.manage("DELETE", f"{COUPONS}/{coupon.id}") == (204, None)
        assert self.manage("PUT", f"{COUPONS}/{coupon.id}", {"usageLimit": 1})[0] == 404

    @precondition(lambda self: self.coupons)
    @rule(
        data=st.data(),
        customer=CUSTOMERS,
        states=st.lists(st.sampled_from(["open", "closed"]), min_size=1, max_size=4),
    )
    def shop_with_a_coupon(self, data: st.DataObject, customer: str, states: list[str]) -> None:
        code = self.code(data)
        for state in states:
            name = f"session-{self.number()}"
            self.sessions[name] = ("open", code)
            self.update(name, customer, state)

    @precondition(lambda self: any(state == "open" for state, _ in self.sessions.values()))
    @rule(data=st.data(), customer=CUSTOMERS)
    def close(self, data: st.DataObject, customer: str) -> None:
        self.update(self.session(data, "open"), customer, "closed")

    @precondition(lambda self: any(state == "closed" for state, _ in self.sessions.values()))
    @rule(data=st.data(), customer=CUSTOMERS)
    def cancel(self, data: st.DataObject, customer: str) -> None:
        name = self.session(data, "closed")
        self.update(name, customer, "cancelled")

    @precondition(lambda self: any(state == "closed" for state, _ in self.sessions.values()))
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        name = self.session(data, "closed")
        status, answer = self.shop("PUT", f"/v2/customer_sessions/{name}/reopen")
        assert status == 200, answer
        self.give_back(name)
        self.sessions[name] = ("open", self.sessions[name][1])

    def code(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.coupons)))

    def session(self, data: st.DataObject, state: str) -> str:
        return data.draw(st.sampled_from([n for n, s in self.sessions.items() if s[0] == state]))

    def update(self, name: str, customer: str, state: str) -> None:
        """Bring a session into a state, and expect of its coupon what its limit says."""
        code = self.sessions[name][1]
        cart = [{"name": "Shirt", "sku": "SHIRT", "quantity": 1, "price": 50}]
        session = {"profileId": customer, "state": state, "cartItems": cart, "couponCodes": [code]}
        body = {"customerSession": session}
        status, answer = self.shop("PUT", f"/v2/customer_sessions/{name}", body)
        assert status == 200, answer
        effects = [effect["effectType"] for effect in answer["effects"]]
        coupon = self.coupons.get(code)
        if state == "cancelled":
            self.give_back(name)
        else:
            usable = coupon and (not coupon.limit or len(coupon.used_by) < coupon.limit)
            assert ("acceptCoupon" in effects) == bool(usable), effects
            assert ("rejectCoupon" in effects) == (not usable), effects
            if usable and coupon and state == "closed":
                coupon.used_by.append(name)
        self.sessions[name] = (state, code)

    def give_back(self, name: str) -> None:
        coupon = self.coupons.get(self.sessions[name][1])
        if coupon and name in coupon.used_by:
            coupon.used_by.remove(name)

    # --- Points ------------------------------------------------------------------------------

    @rule(days=st.integers(0, 40), hours=st.integers(1, 23))
    def wait(self, days: int, hours: int) -> None:
        self.time += timedelta(days=days, hours=hours)

    @rule(
        customer=CUSTOMERS,
        points=POINTS,
        valid=st.sampled_from(["unlimited", "24h", "5D", "1M_UP", "2W_U"]),
        pending=st.sampled_from(["immediate", "3D", "12h"]),
    )
    def earn(self, customer: str, points: int, valid: str, pending: str) -> None:
        body = {"points": points, "validityDuration": valid, "pendingDuration": pending}
        status, answer = self.manage("PUT", f"{PROFILES}/{customer}-points/add_points", body)
        assert status == 204, answer
        self.purses[customer].added += points

    @rule(customer=CUSTOMERS, points=POINTS)
    def spend(self, customer: str, points: int) -> None:
        if customer not in self.purses:
            return
        before = self.balance(customer)
        body = {"points": points}
        status, answer = self.manage("PUT", f"{PROFILES}/{customer}-points/deduct_points", body)
        if points > before["activePoints"]:
            assert status == 400, answer
        else:
            assert status == 204, answer
            self.purses[customer].spent += points

    def balance(self, customer: str) -> dict[str, float]:
        _, answer = self.shop("GET", f"{PROFILES}/{customer}-points/balances")
        balance: dict[str, float] = answer["balance"]
        return balance

    # --- Cards -------------------------------------------------------------------------------

    @rule()
    def hand_out_a_card(self) -> None:
        code = f"CARD-{self.number()}"
        status, card = self.shop("POST", CARDS, {"cardIdentifier": code, "status": "active"})
        assert status == 200, card
        self.cards[card["identifier"]] = Purse()

    @precondition(lambda self: self.cards)
    @rule(data=st.data(), points=POINTS, valid=st.sampled_from(["unlimited", "5D"]))
    def load_a_card(self, data: st.DataObject, points: int, valid: str) -> None:
        code = data.draw(st.sampled_from(sorted(self.cards)))
        body = {"points": points, "validityDuration": valid}
        status, answer = self.manage("PUT", f"{CARDS}/{code}/add_points", body)
        assert status == 204, answer
        self.cards[code].added += points

    @precondition(lambda self: self.cards)
    @rule(data=st.data(), points=POINTS)
    def pay_with_a_card(self, data: st.DataObject, points: int) -> None:
        code = data.draw(st.sampled_from(sorted(self.cards)))
        active = self.on_card(code)["activePoints"]
        status, answer = self.manage("PUT", f"{CARDS}/{code}/deduct_points", {"points": points})
        if points > active:
            assert status == 400, answer
        else:
            assert status == 204, answer
            self.cards[code].spent += points

    @precondition(lambda self: self.cards)
    @rule(data=st.data())
    def lose_a_card(self, data: st.DataObject) -> None:
        old, new = data.draw(st.sampled_from(sorted(self.cards))), f"CARD-{self.number()}"
        before = self.on_card(old)
        status, answer = self.manage("PUT", f"{CARDS}/{old}/transfer", {"newCardIdentifier": new})
        assert status == 204, answer
        assert self.on_card(new) == before
        self.cards[new] = self.cards.pop(old)
        self.blocked.add(old)
        assert self.manage("PUT", f"{CARDS}/{old}", {"status": "active"})[0] == 400
        assert self.manage("PUT", f"{CARDS}/{old}/add_points", {"points": 1})[0] == 400

    def on_card(self, code: str) -> dict[str, float]:
        status, answer = self.shop("GET", f"{CARDS}/{code}/balances")
        assert status == 200, answer
        balance: dict[str, float] = answer["balance"]
        return balance

    # --- Collections -------------------------------------------------------------------------

    @rule(name=st.sampled_from("ABCDE"))
    def collect(self, name: str) -> None:
        body = {"name": name, "subscribedApplicationsIds": [42]}
        status, created = self.manage("POST", "/v1/collections", body)
        if name in self.collections:
            assert status == 409
            return
        assert status == 201
        assert created["id"] not in self.gone["collections"]
        self.collections[name] = created["id"]

    @precondition(lambda self: self.collections)
    @rule(data=st.data())
    def scatter(self, data: st.DataObject) -> None:
        number = self.collections.pop(data.draw(st.sampled_from(sorted(self.collections))))
        self.gone["collections"].add(number)
        assert self.manage("DELETE", f"/v1/collections/{number}") == (204, None)
        assert self.manage("GET", f"/v1/collections/{number}")[0] == 404

    # --- What must hold ----------------------------------------------------------------------

    @invariant()
    def the_coupons_are_those_of_the_model(self) -> None:
        _, found = self.manage("GET", f"{COUPONS}/no_total")
        actual = {each["value"]: each for each in found["data"]}
        assert actual.keys() == self.coupons.keys()
        for code, coupon in self.coupons.items():
            assert actual[code]["usageCounter"] == len(coupon.used_by)
            assert not coupon.limit or actual[code]["usageCounter"] <= coupon.limit

    @rule()
    def exports_agree_with_lists(self) -> None:
        _, exported = self.manage(
            "GET", f"{APPLICATION}/export_coupons", campaignId=18, valuesOnly="true"
        )
        assert exported.split()[1:] == list(self.coupons)
        _, listed = self.manage("GET", "/v1/collections")
        names = {each["name"]: each["id"] for each in listed["data"]}
        assert self.collections.items() <= names.items()
        assert not self.gone["collections"] & set(names.values())

    @rule()
    def no_point_is_lost_or_made(self) -> None:
        held = [(self.balance(customer), purse) for customer, purse in self.purses.items()]
        held += [(self.on_card(code), purse) for code, purse in self.cards.items()]
        for balance, purse in held:
            there = ("activePoints", "pendingPoints", "spentPoints", "expiredPoints")
            assert sum(balance[name] for name in there) == purse.added, balance
            assert balance["spentPoints"] == purse.spent, balance
            assert min(balance.values()) >= 0, balance

    @rule()
    def the_list_of_points_adds_up_to_the_balance(self) -> None:
        for customer in self.purses:
            balance = self.balance(customer)
            for status, name in (("active", "activePoints"), ("pending", "pendingPoints"),
                                 ("expired", "expiredPoints")):  # fmt: skip
                path = f"{PROFILES}/{customer}-points/points"
                _, listed = self.shop("GET", path, status=status)
                assert sum(each["amount"] for each in listed["data"]) == balance[name]


@pytest.mark.parametrize("part", range(PARTS))
def test_what_must_hold_holds(part: int) -> None:
    run_state_machine_as_test(
        Account,
        settings=settings(
            max_examples=math.ceil(EXAMPLES / PARTS),
            stateful_step_count=STEPS,
            derandomize=False,  # on CI, too: otherwise all parts would be the same
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
