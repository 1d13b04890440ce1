"""A customer's ledgers in loyalty programs, with their balances and tiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from talonone_mcp.sandbox.customers.profile_records import find_profile
from talonone_mcp.sandbox.documents.conditions import Condition, equal, is_true
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.durations import local, zone_of
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.ledgers.entry_views import ledger_entry
from talonone_mcp.sandbox.ledgers.ledger import ledger_balance, ledger_label, program_of
from talonone_mcp.sandbox.ledgers.memberships import joined_at
from talonone_mcp.sandbox.ledgers.points import (
    LEFT,
    LedgerBalance,
    PointsHolder,
    balances,
    balances_of,
    held_by,
    in_phase,
    rounded,
)
from talonone_mcp.sandbox.ledgers.tiers import projected, tier_of, tier_shown, way_up


def holder_in(
    call: SandboxCall, program: Document, argument: str = "integrationId"
) -> PointsHolder:
    """Return the customer that a request names, as the holder of points.

    Raises:
        RefusalError: 404, when there is no such customer.
    """
    customer = str(call.arguments[argument])
    if find_profile(call.store, customer) is None:
        raise RefusalError(404, f"customer {customer} does not exist", resource="customerProfile")
    return PointsHolder(program["id"], customer=customer)


def get_loyalty_balances(call: SandboxCall) -> Reply:
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


def _standing(
    call: SandboxCall, program: Document, holder: PointsHolder, subledger: str
) -> Document:
    """Return the requested parts of the current and projected tier."""
    shown: Document = {}
    ledger = call.store.find("loyalty_ledgers", ledger_label(holder, subledger))
    if ledger is None or not program.get("tiers"):
        return shown
    tier = tier_of(call.store, program, ledger, call.now)
    if is_true(call.arguments.get("includeTiers")):
        points = balances_of(call.store, holder, call.now).get(subledger, LedgerBalance()).active
        shown |= tier_shown(program, tier) | way_up(program, tier, points)
    if is_true(call.arguments.get("includeProjectedTier")):
        shown |= projected(call.store, program, ledger, tier)
    return shown


def get_loyalty_ledger(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    holder = holder_in(call, program)
    found = balances_of(call.store, holder, call.now)
    ledgers = {
        name: _whole_ledger(call, program, holder, name, found.get(name, LedgerBalance()))
        for name in {"": None, **found}
    }
    return 200, {"ledger": ledgers.pop(""), "subLedgers": ledgers}


def _whole_ledger(
    call: SandboxCall, program: Document, holder: PointsHolder, name: str, balance: LedgerBalance
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


def programs_of(
    call: SandboxCall, customer: str, programs: Iterable[int] | None = None
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


def program_ledgers(call: SandboxCall, program: Document, customer: str) -> Document:
    """Return a customer's ledgers of one program, with their tiers."""
    holder = PointsHolder(program["id"], customer=customer)
    found = balances_of(call.store, holder, call.now)
    ledgers = {
        name: ledger_balance(found.get(name, LedgerBalance()))
        | _tier(call, program, holder, name, found)
        for name in {"": None, **found}
    }
    shown = {key: program[key] for key in ("id", "title", "name")}
    joined = joined_at(call.store, program, customer, call.now)
    if joined:
        shown["joinDate"] = local(moment(joined), zone_of(program["timezone"])).isoformat()
    return shown | {"ledger": ledgers.pop(""), "subLedgers": ledgers}


def _tier(
    call: SandboxCall,
    program: Document,
    holder: PointsHolder,
    name: str,
    found: Mapping[str, LedgerBalance],
) -> Document:
    ledger = call.store.find("loyalty_ledgers", ledger_label(holder, name))
    if ledger is None or not program.get("tiers"):
        return {}
    tier = tier_of(call.store, program, ledger, call.now)
    way = way_up(program, tier, found.get(name, LedgerBalance()).active)
    missing = {key: rounded(way[key]) for key in ("pointsToNextTier",) if key in way}
    return tier_shown(program, tier) | missing


HANDLERS: Mapping[str, Handler] = {
    "get_loyalty_balances": get_loyalty_balances,
    "get_loyalty_ledger": get_loyalty_ledger,
    "get_loyalty_ledger_balances": get_loyalty_balances,
}
