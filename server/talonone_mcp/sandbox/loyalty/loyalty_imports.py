"""Points, tiers and join dates of loyalty programs from CSV files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from talonone_mcp.core.csv_values import number_in
from talonone_mcp.sandbox.cards.card_records import find_card, holder_of
from talonone_mcp.sandbox.customers.profile_records import find_profile, known_profile
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.durations import is_duration
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import exact_moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import rows_of
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.ledgers.additions import add_points
from talonone_mcp.sandbox.ledgers.ledger import open_ledger, program_of
from talonone_mcp.sandbox.ledgers.memberships import set_join_date
from talonone_mcp.sandbox.ledgers.points import (
    IMMEDIATE,
    ON_ACTION,
    UNLIMITED,
    PointsCause,
    PointsHolder,
)
from talonone_mcp.sandbox.ledgers.tiers import assign, entered, is_advanced, tier_of

_MOST = 999_999_999_999.99  # points at once, as upstream's addLoyaltyPoints has it
_OPTIONAL = ("startdate", "expirydate", "validityduration", "subledgerid", "reason")
Row = Mapping[str, str]


def _each_row(
    text: str, required: tuple[str, ...], optional: tuple[str, ...], take: Callable[[Row], object]
) -> int:
    """Take the rows of an import in turn, and return their number.

    Raises:
        RefusalError: 400, naming the line that cannot be imported.
    """
    number = 0
    for line, row in rows_of(text, required, optional):
        try:
            take({name: value.strip() for name, value in row.items()})
        except (RefusalError, ValueError, OverflowError) as error:
            raise RefusalError(400, str(error), line=str(line)) from None
        number += 1
    return number


def import_loyalty_points(call: SandboxCall) -> Reply:
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
            cause=PointsCause(name=row.get("reason", ""), import_id=number),
        )

    key = "identifier" if program["cardBased"] else "customerprofileid"
    amount = _each_row(call.arguments["csv"], (key, "amount"), _OPTIONAL, take)
    return 200, imported(call, "LoyaltyPoints", amount)


def _row_holder(call: SandboxCall, program: Document, row: Row) -> PointsHolder:
    if not program["cardBased"]:
        if not row["customerprofileid"]:
            raise ValueError("customerprofileid is empty")
        known_profile(call, row["customerprofileid"])
        return PointsHolder(program["id"], customer=row["customerprofileid"])
    card = find_card(call.store, program["id"], row["identifier"])
    if card is None:
        raise ValueError(f"card {row['identifier']} does not exist")
    return holder_of(card)


def _amount(text: str) -> float:
    points = number_in(text) or 0
    if not 0 < points <= _MOST:
        raise ValueError(f"amount must be more than 0 and at most {_MOST}")
    return float(points)


def _validity(row: Row) -> str:
    expiry, duration = row.get("expirydate"), row.get("validityduration")
    if expiry and duration:
        raise ValueError("give expirydate or validityDuration, not both")
    if duration and not is_duration(duration):
        raise ValueError(f"{duration} is no duration such as 24h or 5D")
    return duration or _time_or(expiry or UNLIMITED, UNLIMITED)


def _time_or(text: str, *words: str) -> str:
    return text if text in words else stamp(exact_moment(text))


def import_loyalty_tiers(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    if not is_advanced(program) or not program.get("tiers"):
        raise RefusalError(400, "the program has no advanced tiers", parameter="loyaltyProgramId")
    columns = ("customerprofileid", "tiername", "expirydate")
    amount = _each_row(
        call.arguments["csv"], columns, ("subledgerid",), lambda row: _put(call, program, row)
    )
    return 200, imported(call, "LoyaltyTiers", amount)


def _put(call: SandboxCall, program: Document, row: Row) -> None:
    """Put a customer into a tier, or renew the expiry date of their current one."""
    tier = next((each for each in program["tiers"] if each["name"] == row["tiername"]), None)
    if tier is None:
        raise ValueError(f"there is no tier {row['tiername']}")
    expiry = stamp(exact_moment(row["expirydate"]))
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


def _existing(call: SandboxCall, program: Document, row: Row) -> PointsHolder:
    customer = row["customerprofileid"]
    if find_profile(call.store, customer) is None:
        raise ValueError(f"customer {customer} does not exist")
    return PointsHolder(program["id"], customer=customer)


def import_loyalty_join_dates(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)

    def take(row: Row) -> None:
        customer = str(_existing(call, program, row).customer)
        joined = stamp(exact_moment(row["newjoindate"]))
        set_join_date(call.store, program, customer, joined, call.now)

    columns = ("customerprofileid", "newjoindate")
    amount = _each_row(call.arguments["csv"], columns, (), take)
    return 200, imported(call, "LoyaltyJoinDates", amount)


HANDLERS: Mapping[str, Handler] = {
    "import_loyalty_join_dates": import_loyalty_join_dates,
    "import_loyalty_points": import_loyalty_points,
    "import_loyalty_tiers": import_loyalty_tiers,
}
