"""The demo account's sessions: what its customers bought, and which coupons they redeemed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from talonone_mcp.sandbox.campaigns.campaign_records import COUNTED, add_to_counters
from talonone_mcp.sandbox.demo.customers import CUSTOMERS, FIRST_ID, named
from talonone_mcp.sandbox.demo.demo_account import DemoAccount
from talonone_mcp.sandbox.demo.visits import DemoVisit, demo_cart, visits
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import SHOP
from talonone_mcp.sandbox.rule_engine.built_in_rules import (
    EffectDraft,
    RuleSituation,
    drafts,
    first_unmet,
    needs,
)
from talonone_mcp.sandbox.rule_engine.campaign_budgets import SpentBudget
from talonone_mcp.sandbox.rule_engine.campaign_figures import series_of
from talonone_mcp.sandbox.sessions.carts import totals
from talonone_mcp.sandbox.sessions.event_log import effect_rows, rejection_note
from talonone_mcp.sandbox.sessions.session_records import code_rows

_FIRST_ID = 2533  # of the oldest session
_PART = 2_000  # visits that are stored at once
_PLAYED = ("setDiscount", "setDiscountPerItem", "addFreeItem")  # the rest is its own part's


@dataclass(slots=True)
class _Book:
    """Documents of the visits, stored in batches."""

    sessions: list[Document] = field(default_factory=list)
    events: list[Document] = field(default_factory=list)
    effects: list[tuple[Document, int | None, str | None]] = field(default_factory=list)
    figures: list[Document] = field(default_factory=list)
    redemptions: list[Document] = field(default_factory=list)


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    customers = named(account)
    planned = sorted(visits(account, customers), key=lambda visit: visit.at)
    shop = _Shop(account, customers)
    remaining = iter(planned)
    while part := list(islice(remaining, _PART)):
        book = _Book()
        for visit in part:
            shop.serve(visit, book)
        _keep(account, book)
    shop.finish()
    _fill_custom_events(account)


class _Shop:
    """Turns visits, in the order of time, into documents, and sums them up."""

    def __init__(self, account: DemoAccount, customers: Sequence[str]) -> None:
        self._account = account
        self._customers = customers
        self._number = _FIRST_ID
        self._event = self._effect = 1
        self._seen: set[int] = set()
        self._orders: dict[int, list[float]] = defaultdict(lambda: [0, 0.0])
        self._counters: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._campaigns = {each["id"]: each for each in account.store.select("campaigns")}
        self._rules = {
            number: (account.store.get("rulesets", each["activeRulesetId"]) or {})["rules"]
            for number, each in self._campaigns.items()
        }

    def serve(self, visit: DemoVisit, book: _Book) -> None:
        """Add one visit's documents to the book."""
        session = self._session(visit)
        applied, uses = self._applied(visit, session)
        discounts: Counter[str] = Counter()
        for effect in applied:
            if effect["effectType"].startswith("setDiscount"):
                discounts[effect["props"]["name"]] += effect["props"]["value"]
        session |= {
            "effects": applied,
            "discounts": {name: round(value, 2) for name, value in discounts.items()},
            "totalDiscounts": round(discounts.total(), 2),
        }
        if visit.state == "closed":
            self._close(visit, session, uses, book)
        elif visit.state == "cancelled":
            session["cancelledAt"] = visit.at
        book.sessions.append(session)
        self._happen(visit, session, book)
        self._number += 1

    def _session(self, visit: DemoVisit) -> Document:
        first = visit.customer not in self._seen
        self._seen.add(visit.customer)
        session: Document = {
            "id": self._number,
            "created": visit.at,
            "integrationId": visit.name,
            "applicationId": visit.application,
            "profileId": self._customers[visit.customer],
            "profile": FIRST_ID + visit.customer,
            "couponCodes": [visit.coupon["value"]] if visit.coupon else [],
            "referralCode": "",
            "loyaltyCards": [],
            "state": visit.state,
            "cartItems": demo_cart(self._account, visit),
            "additionalCosts": {"shipping": {"price": 4.9}},
            "identifiers": [],
            "attributes": {},
            "firstSession": first,
            "updateCount": 1,
            "updated": visit.at,
        }
        return session | totals(session)

    def _applied(
        self, visit: DemoVisit, session: Document
    ) -> tuple[list[Document], list[SpentBudget]]:
        """Return the effects of the campaigns that ran at the time, and what they used."""
        coupon = visit.coupon
        if coupon and visit.state == "open":
            return [_expired(coupon, self._campaigns[coupon["campaignId"]])], []
        effects, uses = [], list[SpentBudget]()
        for number, campaign in self._campaigns.items():
            own = coupon is not None and coupon["campaignId"] == number
            runs = campaign["startTime"] <= visit.at and campaign["state"] == "enabled"
            if campaign["applicationId"] != visit.application or not (own or runs):
                continue
            if coupon and own:
                rule = self._rules[number][0]
                accepted = EffectDraft("acceptCoupon", {"value": coupon["value"]}, {})
                effects.append(_effect(campaign, 0, rule, accepted, coupon))
                uses.append(SpentBudget(number, "redeemCoupon", 1, ()))
            for index, rule in enumerate(self._rules[number]):
                if needs(rule, "couponValid") != own:
                    continue
                for draft in _drafts(self._account, session, rule, coupon if own else None):
                    effects.append(_effect(campaign, index, rule, draft, coupon if own else None))
                    uses += [
                        SpentBudget(number, name, much, ()) for name, much in draft.uses.items()
                    ]
        return effects, uses

    def _close(
        self, visit: DemoVisit, session: Document, uses: list[SpentBudget], book: _Book
    ) -> None:
        session |= {
            "closedAt": visit.at,
            "applied": session["effects"],
            "used": [each.kept() for each in uses],
            "closedTotal": session["total"],
            "units": sum(each["quantity"] for each in session["cartItems"]),
            "influenced": bool(session["effects"]),
        }
        for use in uses:
            self._counters[use.campaign][COUNTED[use.action]] += use.amount
        orders = self._orders[visit.customer]
        orders[0] += 1
        orders[1] += session["total"]
        if visit.coupon:
            book.redemptions.append({
                "campaignId": visit.coupon["campaignId"],
                "couponId": visit.coupon["id"],
                "profileId": session["profileId"],
                "sessionId": session["id"],
                "at": visit.at,
            })  # fmt: skip
        for campaign in dict.fromkeys(each["campaignId"] for each in session["effects"]):
            own = [each for each in session["effects"] if each["campaignId"] == campaign]
            book.figures.append({
                "campaignId": campaign,
                "applicationId": visit.application,
                "profileId": session["profileId"],
                "sessionId": session["id"],
                "at": visit.at,
                "sessions": 1,
                "items": session["units"],
                "campaignRevenue": session["total"],
                **series_of(own),
            })  # fmt: skip

    def _happen(self, visit: DemoVisit, session: Document, book: _Book) -> None:
        name = {"open": "talon_session_created"}.get(visit.state, f"talon_session_{visit.state}")
        event: Document = {
            "id": self._event,
            "created": visit.at,
            "applicationId": visit.application,
            "type": name,
            "attributes": {},
            "effects": session["effects"],
            "ruleFailureReasons": [],
            "session": visit.name,
            "sessionId": session["id"],
            "profile": session["profileId"],
            "profileId": session["profile"],
        }
        self._event += 1
        book.events.append(event)
        code = visit.coupon["value"] if visit.coupon else ""
        for row, parent, label in effect_rows(event, self._effect, session):
            book.effects.append(((row | {"coupon": code}) if code else row, parent, label))
        self._effect += len(event["effects"])
        if visit.coupon and visit.state == "open":
            note = rejection_note(event, event["effects"][0], code)
            self._account.store.add("coupon_rejections", note)

    def finish(self) -> None:
        """Store the sums of the visits in campaigns and profiles."""
        store = self._account.store
        for number, counters in self._counters.items():
            add_to_counters(store, number, **counters)
        for place, (orders, sales) in self._orders.items():
            profile = store.find("customers", self._customers[place])
            if profile:
                sums = {"closedSessions": int(orders), "totalSales": round(sales, 2)}
                store.replace("customers", profile | sums)


def _drafts(
    account: DemoAccount, session: Document, rule: Document, coupon: Document | None
) -> Iterable[EffectDraft]:
    """Yield what a rule gives."""
    situation = RuleSituation(
        profile=session["profileId"],
        items=session["cartItems"],
        costs=session["additionalCostTotal"],
        discounted=0,
        random=account.random,
        coupon=coupon,
    )
    if first_unmet(rule, situation) is not None:
        return
    for effect in rule["effects"]:
        if effect[0].startswith(_PLAYED):
            yield from drafts(effect, situation)


def _effect(
    campaign: Document, index: int, rule: Document, draft: EffectDraft, coupon: Document | None
) -> Document:
    effect = {
        "campaignId": campaign["id"],
        "rulesetId": campaign["activeRulesetId"],
        "ruleIndex": index,
        "ruleName": rule["title"],
        "effectType": draft.kind,
        "props": draft.props,
    }
    return effect | ({"triggeredByCoupon": coupon["id"]} if coupon else {})


def _expired(coupon: Document, campaign: Document) -> Document:
    props = {"value": coupon["value"], "rejectionReason": "CouponExpired"}
    return {
        "campaignId": campaign["id"],
        "rulesetId": campaign["activeRulesetId"],
        "ruleIndex": 0,
        "ruleName": "",
        "effectType": "rejectCoupon",
        "triggeredByCoupon": coupon["id"],
        "props": props,
    }


def _fill_custom_events(account: DemoAccount) -> None:
    """Store an advanced event and some plain ones, after the sessions' events."""
    number = account.store.next_id("events")
    tracked = (("pe_12345", "pageViewed", 5), (None, "productReviewed", 1),
               (None, "newsletterSubscribed", 2))  # fmt: skip
    for place, (name, kind, customer) in enumerate(tracked):
        event: Document = {
            "id": number + place,
            "created": account.day(-0.1 + place / 100),
            "applicationId": SHOP,
            "type": kind,
            "attributes": {"myAttribute": "spring"},
            "effects": [],
            "ruleFailureReasons": [],
            "profile": CUSTOMERS[customer],
            "profileId": FIRST_ID + customer,
        }
        event |= {"integrationId": name} if name else {}
        account.store.add("events", event, parent=SHOP, label=f"{SHOP}/{name}" if name else None)


def _keep(account: DemoAccount, book: _Book) -> None:
    store = account.store
    store.add_all("sessions", (
        (each, each["applicationId"], f"{each['applicationId']}/{each['integrationId']}")
        for each in book.sessions
    ))  # fmt: skip
    store.add_all("events", ((each, each["applicationId"], None) for each in book.events))
    store.add_all("effects", book.effects)
    codes = [(row, each["id"]) for each in book.sessions for row in code_rows(each)]
    for kind, rows in (
        ("session_codes", codes),
        ("campaign_figures", [(each, each["campaignId"]) for each in book.figures]),
        ("redemptions", [(each, each["campaignId"]) for each in book.redemptions]),
    ):
        first = store.next_id(kind)
        store.add_all(kind, (
            ({"id": number, **row}, parent, None)
            for number, (row, parent) in enumerate(rows, first)
        ))  # fmt: skip
