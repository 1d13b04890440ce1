"""Loyalty programs and the points, tiers and transactions of their customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from talonone_mcp.sandbox.conditions import Condition, equal, is_true
from talonone_mcp.sandbox.customers.customers import find_profile
from talonone_mcp.sandbox.errors import UpstreamError
from talonone_mcp.sandbox.handling import Call, Handler, Reply
from talonone_mcp.sandbox.loyalty.days import day_of, figures_at, figures_by_day
from talonone_mcp.sandbox.loyalty.durations import local, zone_of
from talonone_mcp.sandbox.loyalty.ledger import (
    add_points,
    deduct_points,
    ledger_balance,
    ledger_label,
    program_of,
)
from talonone_mcp.sandbox.loyalty.members import joined_at, memberships
from talonone_mcp.sandbox.loyalty.moves import activate, erase
from talonone_mcp.sandbox.loyalty.points import (
    LEFT,
    Balance,
    Cause,
    Holder,
    balances,
    balances_of,
    held_by,
    in_passing,
    in_phase,
    rounded,
)
from talonone_mcp.sandbox.loyalty.tiers import projected, tier_of, tier_shown, way_up
from talonone_mcp.sandbox.loyalty.views import (
    OF_PROGRAM,
    ledger_entry,
    points_page,
    transaction_log,
    transactions_page,
    with_uuids,
)
from talonone_mcp.sandbox.store import Document
from talonone_mcp.sandbox.times import moment, stamp


def list_loyalty_programs(call: Call) -> Reply:
    programs = call.store.select("loyalty_programs")
    return 200, {"totalResultSize": len(programs), "data": programs}


def get_loyalty_program(call: Call) -> Reply:
    return 200, program_of(call)


def holder_in(call: Call, program: Document, argument: str = "integrationId") -> Holder:
    """Return the customer that a request names, as the holder of points.

    Raises:
        UpstreamError: 404, when there is no such customer.
    """
    customer = str(call.arguments[argument])
    if find_profile(call.store, customer) is None:
        raise UpstreamError(404, f"customer {customer} does not exist", resource="customerProfile")
    return Holder(program["id"], customer=customer)


def add_loyalty_points(call: Call) -> Reply:
    program = program_of(call, cards=False)
    add_asked(call, program, holder_in(call, program))
    return 204, None


def add_asked(call: Call, program: Document, holder: Holder) -> None:
    """Add the points that a request's body describes."""
    asked = call.arguments
    add_points(
        call,
        holder,
        asked["points"],
        subledger=asked.get("subledgerId", ""),
        pending=asked.get("pendingUntil", asked.get("pendingDuration")),
        validity=asked.get("validUntil", asked.get("validityDuration")),
        cause=cause_asked(call, program),
    )


def cause_asked(call: Call, program: Document) -> Cause:
    """Return the reason that a request's body gives for adding or deducting points.

    Raises:
        UpstreamError: 400, when the program is not connected to the Application.
    """
    application = call.arguments.get("applicationId")
    if application not in (None, *program["subscribedApplications"]):
        raise UpstreamError(
            400, "the program is not connected to this application", pointer="/applicationId"
        )
    return Cause(name=call.arguments.get("name", ""), application_id=application)


def deduct_loyalty_points(call: Call) -> Reply:
    program = program_of(call, cards=False)
    deduct_points(
        call,
        holder_in(call, program),
        call.arguments["points"],
        subledger=call.arguments.get("subledgerId", ""),
        cause=cause_asked(call, program),
    )
    return 204, None


def get_loyalty_balances(call: Call) -> Reply:
    program = program_of(call, cards=False)
    holder = holder_in(call, program)
    asked = call.arguments
    at = moment(asked["endDate"]) if "endDate" in asked else call.now
    found = balances(call.store, holder, at, asked.get("subledgerId"))
    if "balance" in found:
        found["balance"] |= _standing(call, program, holder, "")
    for name in found.get("subledgerBalances", ()):
        found["subledgerBalances"][name] |= _standing(call, program, holder, name)
    return 200, found


def _standing(call: Call, program: Document, holder: Holder, subledger: str) -> Document:
    """Return what a request asks for of the tiers, present and future."""
    shown: Document = {}
    ledger = call.store.find("loyalty_ledgers", ledger_label(holder, subledger))
    if ledger is None or not program.get("tiers"):
        return shown
    tier = tier_of(call.store, program, ledger, call.now)
    if is_true(call.arguments.get("includeTiers")):
        points = balances_of(call.store, holder, call.now).get(subledger, Balance()).active
        shown |= tier_shown(program, tier) | way_up(program, tier, points)
    if is_true(call.arguments.get("includeProjectedTier")):
        shown |= projected(call.store, program, ledger, tier)
    return shown


def list_profile_loyalty_transactions(call: Call) -> Reply:
    program = program_of(call, cards=False)
    return 200, transactions_page(call, held_by(holder_in(call, program)))


def list_loyalty_transactions(call: Call) -> Reply:
    program = program_of(call)
    return 200, transactions_page(call, equal("programId", program["id"]), OF_PROGRAM)


def list_profile_loyalty_points(call: Call) -> Reply:
    program = program_of(call, cards=False)
    return 200, points_page(call, holder_in(call, program))


def delete_loyalty_transactions(call: Call) -> Reply:
    program = program_of(call, cards=False)
    holder = holder_in(call, program)
    every = call.arguments["scope"] == "AllSubledgers"
    erase(call, holder, None if every else call.arguments["subledgerIds"])
    return 204, None


def activate_loyalty_points(call: Call) -> Reply:
    program = program_of(call)
    where = [
        in_passing(equal("programId", program["id"])),
        with_uuids(call.arguments.get("transactionUUIDs")),
    ]
    if "sessionId" in call.arguments:
        where.append(equal("customerSessionId", call.arguments["sessionId"]))
        where.append(equal("applicationId", call.application_id))
    entries = call.store.select("loyalty_entries", *where)
    missing = len(call.arguments.get("transactionUUIDs", (None,))) - len(entries)
    if missing > 0:
        raise UpstreamError(404, f"{missing} of them not found", resource="loyaltyTransaction")
    return 200, {"ledgerEntries": [ledger_entry(each) for each in activate(call, program, entries)]}


def get_loyalty_ledger(call: Call) -> Reply:
    program = program_of(call, cards=False)
    holder = holder_in(call, program)
    found = balances_of(call.store, holder, call.now)
    ledgers = {
        name: _whole_ledger(call, program, holder, name, found.get(name, Balance()))
        for name in {"": None, **found}
    }
    return 200, {"ledger": ledgers.pop(""), "subLedgers": ledgers}


def _whole_ledger(
    call: Call, program: Document, holder: Holder, name: str, balance: Balance
) -> Document:
    of_ledger = (held_by(holder), equal("subledgerId", name))

    def entries(*where: Condition | None) -> list[Document]:
        return call.store.select("loyalty_entries", *of_ledger, *where)

    def unused(phase: str) -> list[Document]:
        return [each | {"amount": each["left"]}
                for each in entries(in_phase(phase, call.now), LEFT)]  # fmt: skip

    active = unused("active")
    lists = {
        "transactions": entries(),
        "expiringPoints": [each for each in active if each["expiryDate"][0].isdigit()],
        "activePoints": active,
        "pendingPoints": unused("pending"),
        "expiredPoints": unused("expired"),
    }
    ledger = call.store.find("loyalty_ledgers", ledger_label(holder, name))
    tier = tier_of(call.store, program, ledger, call.now) if ledger else None
    return {
        "total": balance.active,
        "totalActivePoints": balance.active,
        "totalPendingPoints": balance.pending,
        "totalSpentPoints": balance.spent,
        "totalExpiredPoints": balance.expired,
        "totalNegativePoints": balance.negative,
        **{key: [ledger_entry(each) for each in found] for key, found in lists.items()},
        **tier_shown(program, tier),
    }


def export_loyalty_ledger(call: Call) -> Reply:
    program = program_of(call, cards=False)
    return 200, transaction_log(call, holder_in(call, program))


def get_loyalty_statistics(call: Call) -> Reply:
    return 200, figures_at(call.store, program_of(call), call.now)


def get_loyalty_dashboard(call: Call) -> Reply:
    program = program_of(call)
    first = day_of(program, moment(max(call.arguments["rangeStart"], program["created"])))
    yesterday = call.now - timedelta(days=1)
    last = day_of(program, moment(min(call.arguments["rangeEnd"], stamp(yesterday))))
    days = figures_by_day(call.store, program, first, last, call.arguments.get("subledgerId"))
    return 200, {"totalResultSize": len(days), "data": days}


# --- For the answers of others -------------------------------------------------------------


def memberships_of(call: Call, customers: Sequence[str]) -> dict[str, list[Document]]:
    """Return the programs that customers belong to, each with the day of joining, if any."""
    found: dict[str, list[Document]] = {customer: [] for customer in customers}
    for member in memberships(call.store, *customers) if customers else ():
        joined = member.get("joined")
        has_joined = joined is not None and joined <= stamp(call.now)
        shown = {"loyaltyProgramId": member["programId"]}
        found[member["customer"]].append(shown | ({"joined": joined} if has_joined else {}))
    return found


def programs_of(
    call: Call, customer: str, programs: Iterable[int] | None = None
) -> dict[str, Document]:
    """Return a customer's ledgers by program, as answers about sessions and profiles show them.

    Args:
        call: the request.
        customer: the integration id.
        programs: the ids of programs; None for all profile-based ones of the Application.
    """
    wanted = None if programs is None else set(programs)
    return {
        str(program["id"]): program_ledgers(call, program, customer)
        for program in call.store.select("loyalty_programs", equal("cardBased", False))
        if call.application_id in (None, *program["subscribedApplications"])
        and (wanted is None or program["id"] in wanted)
    }


def program_ledgers(call: Call, program: Document, customer: str) -> Document:
    """Return a customer's ledgers of one program, with their tiers."""
    holder = Holder(program["id"], customer=customer)
    found = balances_of(call.store, holder, call.now)
    ledgers = {
        name: ledger_balance(found.get(name, Balance())) | _tier(call, program, holder, name, found)
        for name in {"": None, **found}
    }
    shown = {key: program[key] for key in ("id", "title", "name")}
    joined = joined_at(call.store, program, customer, call.now)
    if joined:
        shown["joinDate"] = local(moment(joined), zone_of(program["timezone"])).isoformat()
    return shown | {"ledger": ledgers.pop(""), "subLedgers": ledgers}


def _tier(
    call: Call, program: Document, holder: Holder, name: str, found: Mapping[str, Balance]
) -> Document:
    ledger = call.store.find("loyalty_ledgers", ledger_label(holder, name))
    if ledger is None or not program.get("tiers"):
        return {}
    tier = tier_of(call.store, program, ledger, call.now)
    way = way_up(program, tier, found.get(name, Balance()).active)
    missing = {key: rounded(way[key]) for key in ("pointsToNextTier",) if key in way}
    return tier_shown(program, tier) | missing


HANDLERS: Mapping[str, Handler] = {
    "activate_loyalty_points": activate_loyalty_points,
    "add_loyalty_points": add_loyalty_points,
    "deduct_loyalty_points": deduct_loyalty_points,
    "delete_loyalty_transactions": delete_loyalty_transactions,
    "export_loyalty_ledger": export_loyalty_ledger,
    "get_loyalty_balances": get_loyalty_balances,
    "get_loyalty_dashboard": get_loyalty_dashboard,
    "get_loyalty_ledger": get_loyalty_ledger,
    "get_loyalty_ledger_balances": get_loyalty_balances,
    "get_loyalty_program": get_loyalty_program,
    "get_loyalty_statistics": get_loyalty_statistics,
    "list_loyalty_ledger_transactions": list_profile_loyalty_transactions,
    "list_loyalty_programs": list_loyalty_programs,
    "list_loyalty_transactions": list_loyalty_transactions,
    "list_profile_loyalty_points": list_profile_loyalty_points,
    "list_profile_loyalty_transactions": list_profile_loyalty_transactions,
}
