"""Points, tiers and join dates of loyalty programs from CSV and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from talonone_mcp.sandbox.cards.cards import find_card, holder_of
from talonone_mcp.sandbox.conditions import among
from talonone_mcp.sandbox.customers.customers import find_profile, known_profile
from talonone_mcp.sandbox.errors import UpstreamError
from talonone_mcp.sandbox.handling import Call, Csv, Handler, Reply, rows_of
from talonone_mcp.sandbox.imports import imported
from talonone_mcp.sandbox.loyalty.durations import is_duration
from talonone_mcp.sandbox.loyalty.ledger import add_points, open_ledger, program_of
from talonone_mcp.sandbox.loyalty.members import set_join_date
from talonone_mcp.sandbox.loyalty.points import (
    IMMEDIATE,
    ON_ACTION,
    UNLIMITED,
    Balance,
    Cause,
    Holder,
    balances_where,
)
from talonone_mcp.sandbox.loyalty.tiers import assign, entered, is_advanced, tier_of
from talonone_mcp.sandbox.store import Document
from talonone_mcp.sandbox.times import moment, stamp

_MOST = 999_999_999_999.99  # points at once, as upstream's addLoyaltyPoints has it
_LEDGERS = 500  # that are read together
_OPTIONAL = ("startdate", "expirydate", "validityduration", "subledgerid", "reason")
Row = Mapping[str, str]


def _each_row(
    text: str, required: tuple[str, ...], optional: tuple[str, ...], take: Callable[[Row], object]
) -> int:
    """Take the rows of an import, one after the other, and return how many they were.

    Raises:
        UpstreamError: 400 with the line that cannot be taken.
    """
    number = 0
    for line, row in rows_of(text, required, optional):
        try:
            take({name: value.strip() for name, value in row.items()})
        except (UpstreamError, ValueError, OverflowError) as error:
            raise UpstreamError(400, str(error), line=str(line)) from None
        number += 1
    return number


def import_loyalty_points(call: Call) -> Reply:
    program = program_of(call)
    number = call.store.next_id("imports")

    def take(row: Row) -> None:
        validity = _validity(row)
        add_points(
            call,
            _row_holder(call, program, row),
            _amount(row["amount"]),
            subledger=row.get("subledgerid", ""),
            pending=_time_or(row.get("startdate") or IMMEDIATE, IMMEDIATE, ON_ACTION),
            validity=validity,
            cause=Cause(name=row.get("reason", ""), import_id=number),
        )

    key = "identifier" if program["cardBased"] else "customerprofileid"
    amount = _each_row(call.arguments["csv"], (key, "amount"), _OPTIONAL, take)
    return 200, imported(call, "LoyaltyPoints", amount)


def _row_holder(call: Call, program: Document, row: Row) -> Holder:
    if not program["cardBased"]:
        if not row["customerprofileid"]:
            raise ValueError("customerprofileid is empty")
        known_profile(call, row["customerprofileid"])
        return Holder(program["id"], customer=row["customerprofileid"])
    card = find_card(call.store, program["id"], row["identifier"])
    if card is None:
        raise ValueError(f"card {row['identifier']} does not exist")
    return holder_of(card)


def _amount(text: str) -> float:
    points = float(text)
    if not 0 < points <= _MOST:  # and no NaN
        raise ValueError(f"amount must be more than 0 and at most {_MOST}")
    return points


def _validity(row: Row) -> str:
    expiry, duration = row.get("expirydate"), row.get("validityduration")
    if expiry and duration:
        raise ValueError("give expirydate or validityDuration, not both")
    if duration and not is_duration(duration):
        raise ValueError(f"{duration} is no duration such as 24h or 5D")
    return duration or _time_or(expiry or UNLIMITED, UNLIMITED)


def _time_or(text: str, *words: str) -> str:
    return text if text in words else stamp(moment(text))


def import_loyalty_tiers(call: Call) -> Reply:
    program = program_of(call, cards=False)
    if not is_advanced(program) or not program.get("tiers"):
        raise UpstreamError(400, "the program has no advanced tiers", parameter="loyaltyProgramId")
    columns = ("customerprofileid", "tiername", "expirydate")
    amount = _each_row(
        call.arguments["csv"], columns, ("subledgerid",), lambda row: _put(call, program, row)
    )
    return 200, imported(call, "LoyaltyTiers", amount)


def _put(call: Call, program: Document, row: Row) -> None:
    """Put a customer without a tier into one, or renew the expiry date of the one they are in."""
    tier = next((each for each in program["tiers"] if each["name"] == row["tiername"]), None)
    if tier is None:
        raise ValueError(f"there is no tier {row['tiername']}")
    expiry = stamp(moment(row["expirydate"]))
    if expiry <= stamp(call.now):
        raise ValueError("expirydate must be in the future")
    holder = _existing(call, program, row)
    ledger = open_ledger(call, holder, row.get("subledgerid", ""))
    current = tier_of(call.store, program, ledger, call.now)
    if current is not None and current["id"] != tier["id"]:
        raise ValueError(f"{holder.customer} is in tier {current['name']}")
    if current is None:
        current = entered(call.store, program, ledger, tier, call.now)
    assign(call.store, ledger, {**(current or {}), "expiryDate": expiry}, call.now)


def _existing(call: Call, program: Document, row: Row) -> Holder:
    customer = row["customerprofileid"]
    if find_profile(call.store, customer) is None:
        raise ValueError(f"customer {customer} does not exist")
    return Holder(program["id"], customer=customer)


def import_loyalty_join_dates(call: Call) -> Reply:
    program = program_of(call, cards=False)

    def take(row: Row) -> None:
        customer = str(_existing(call, program, row).customer)
        joined = stamp(moment(row["newjoindate"]))
        set_join_date(call.store, program, customer, joined, call.now)

    columns = ("customerprofileid", "newjoindate")
    amount = _each_row(call.arguments["csv"], columns, (), take)
    return 200, imported(call, "LoyaltyJoinDates", amount)


def export_loyalty_join_dates(call: Call) -> Reply:
    program = program_of(call, cards=False)
    columns = ("loyaltyProgramID", "profileIntegrationID", "joinDate")
    rows = (
        dict(zip(columns, (program["id"], member["customer"], member["joined"]), strict=True))
        for member in call.store.each("loyalty_members", parent=program["id"])
        if member.get("joined", "9999") <= stamp(call.now)
    )
    return 200, Csv(columns, rows)


def export_loyalty_tiers(call: Call) -> Reply:
    program = program_of(call, cards=False)
    columns = ("programid", "subledgerid", "customerprofileid", "tiername", "startdate",
               "expirydate")  # fmt: skip
    return 200, Csv(columns, _tier_rows(call, program))


def _tier_rows(call: Call, program: Document) -> Iterator[dict[str, Any]]:
    names = call.arguments.get("tierNames")
    ledgers = among("subledgerId", call.arguments.get("subledgerIds"))
    for ledger in call.store.each("loyalty_ledgers", ledgers, parent=program["id"]):
        tier = tier_of(call.store, program, ledger, call.now)
        if tier is not None and (not names or tier["name"] in names):
            yield {
                "programid": program["id"],
                "subledgerid": ledger["subledgerId"],
                "customerprofileid": ledger["customerProfileId"],
                "tiername": tier["name"],
                "startdate": tier["startDate"],
                "expirydate": tier.get("expiryDate", ""),
            }


_BALANCES = {
    "currentBalance": "active",
    "pendingBalance": "pending",
    "expiredBalance": "expired",
    "spentBalance": "spent",
    "negativeBalance": "negative",
}
_USUAL = ("currentBalance", "pendingBalance", "expiredBalance", "spentBalance")


def export_loyalty_balances(call: Call) -> Reply:
    program = program_of(call, cards=False)
    asked = call.arguments.get("balances")
    shown = {"currentBalance", *(asked.split(",") if asked else _USUAL)}
    # Not among the documented columns, though it may be asked for: there when it is
    negative = ("negativeBalance",) if "negativeBalance" in shown else ()
    columns = ("loyaltyProgramID", "loyaltySubledger", "profileIntegrationID", *_USUAL, *negative,
               "currentTier")  # fmt: skip
    return 200, Csv(columns, _balance_rows(call, program, shown))


def _balance_rows(call: Call, program: Document, shown: set[str]) -> Iterator[dict[str, Any]]:
    for ledger, balance in ledger_balances(call, program):
        tier = tier_of(call.store, program, ledger, call.now)
        yield {
            "loyaltyProgramID": program["id"],
            "loyaltySubledger": ledger["subledgerId"],
            "profileIntegrationID": ledger["customerProfileId"],
            **{name: getattr(balance, _BALANCES[name]) for name in shown},
            "currentTier": tier["name"] if tier else "",
        }


def ledger_balances(call: Call, program: Document) -> Iterator[tuple[Document, Balance]]:
    """Yield the ledgers of a program with their balances as of `endDate`, or of now.

    They are read a few hundred at a time, so that neither memory nor queries grow with the program.
    """
    at = moment(call.arguments["endDate"]) if "endDate" in call.arguments else call.now
    ledgers = call.store.each("loyalty_ledgers", parent=program["id"])
    while several := list(islice(ledgers, _LEDGERS)):
        theirs = among("holder", sorted({ledger["holder"] for ledger in several}))
        found = balances_where(call.store, at, theirs)
        for ledger in several:
            yield ledger, found.get((ledger["holder"], ledger["subledgerId"]), Balance())


HANDLERS: Mapping[str, Handler] = {
    "export_loyalty_balance": export_loyalty_balances,
    "export_loyalty_balances": export_loyalty_balances,
    "export_loyalty_join_dates": export_loyalty_join_dates,
    "export_loyalty_tiers": export_loyalty_tiers,
    "import_loyalty_join_dates": import_loyalty_join_dates,
    "import_loyalty_points": import_loyalty_points,
    "import_loyalty_tiers": import_loyalty_tiers,
}
