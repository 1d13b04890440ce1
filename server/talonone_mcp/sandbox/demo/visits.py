"""The visits of the demo account's customers: when, to which shop, and with what in the cart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from talonone_mcp.sandbox.demo.campaigns import TEN_OFF
from talonone_mcp.sandbox.demo.catalogs import PRODUCTS
from talonone_mcp.sandbox.demo.customers import CUSTOMERS, FIRST_ID
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.documents.conditions import Condition, column
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import SHOP, SHOP_US
from talonone_mcp.sandbox.ground.timestamps import moment, stamp

_SPAN = 300  # days back to the oldest order without a coupon
_US = 3  # every fifth customer, counted by id from here, buys in the American shop
_REGULARS = 40  # customers who redeem coupons
_GIFT = ("SKU1241028", "Air Glide", "shoes", 99.99)  # what the documented examples name


@dataclass(frozen=True, slots=True)
class DemoVisit:
    """A cart of a customer. `customer` is their place among the customers; `at` RFC 3339."""

    at: str
    application: int
    customer: int
    name: str
    coupon: Document | None = None
    state: str = "closed"


def visits(account: DemoAccount, customers: Sequence[str]) -> Iterator[DemoVisit]:
    """Yield the visits, in no order."""
    draw = account.random.random
    for place in range(len(customers)):
        yield DemoVisit(account.day(-1 - _SPAN * draw()), shop_of(place), place, f"order-{place}")
    redeemed = Condition(f"{column('usageCounter')} > 0")
    regulars = {
        application: [p for p in range(_REGULARS) if shop_of(p) == application]
        for application in (SHOP, SHOP_US)
    }
    for coupon in account.store.select("coupons", redeemed):
        for turn in range(coupon["usageCounter"]):
            yield _redemption(account, coupon, regulars, turn)
    yield from _examples(account)


def shop_of(place: int) -> int:
    """Return the Application in which a customer buys."""
    return SHOP_US if (FIRST_ID + place) % 5 == _US else SHOP


def _redemption(
    account: DemoAccount, coupon: Document, regulars: dict[int, list[int]], turn: int
) -> DemoVisit:
    campaign = account.store.get("campaigns", coupon["campaignId"]) or {}
    start = moment(campaign["startTime"])
    last = min(
        stamp(account.now), campaign.get("endTime", "9999"), coupon.get("expiryDate", "9999")
    )
    at = start + (moment(last) - start) * account.random.random()
    customer = account.random.choice(regulars[campaign["applicationId"]])
    name = f"order-{coupon['value'].lower()}-{turn}"
    return DemoVisit(stamp(at), campaign["applicationId"], customer, name, coupon)


def _examples(account: DemoAccount) -> Iterator[DemoVisit]:
    """Yield the carts of the documented examples, and some in rarer states."""
    anna, ben, carla, david, emma, sam = range(len(CUSTOMERS))
    expired = next(
        coupon
        for coupon in account.store.select("coupons", parent=18)
        if coupon.get("expiryDate", "9999") < stamp(account.now) and not coupon["usageCounter"]
    )
    yield DemoVisit(account.day(-2), SHOP, sam, "session1")
    yield DemoVisit(account.day(-3), SHOP, emma, "175KJPS947296")
    yield DemoVisit(
        account.day(-0.9), SHOP, anna, "cc53e4fa-547f-4f5e-8333-76e05c381f67", expired, "open"
    )
    for number, (customer, state) in enumerate((
        (ben, "open"), (carla, "open"), (david, "cancelled"), (anna, "cancelled"), (emma, "open"),
    )):  # fmt: skip
        yield DemoVisit(
            account.day(-0.5 + number / 20), SHOP, customer, f"cart-{number}", None, state
        )


def demo_cart(account: DemoAccount, visit: DemoVisit) -> list[Document]:
    """Return the cart items of a visit."""
    draw = account.random.random
    products = [PRODUCTS[int(draw() * len(PRODUCTS))] for _ in range(1 + int(draw() * 3))]
    if visit.coupon and visit.coupon["campaignId"] == TEN_OFF:  # which asks for 50 euros
        products.append(PRODUCTS[7])
    if visit.name == "session1":
        products = [PRODUCTS[2], PRODUCTS[8], _GIFT]
    return [
        {
            "name": name,
            "sku": sku,
            "category": category,
            "price": price,
            "quantity": 1,
            "returnedQuantity": 0,
            "remainingQuantity": 1,
            "position": position,
        }
        for position, (sku, name, category, price) in enumerate(products)
    ]
