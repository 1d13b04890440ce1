"""Loyalty programs, their figures and their transactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.ledgers.daily_figures import day_of, figures_at, figures_by_day
from talonone_mcp.sandbox.ledgers.entry_changes import activate_entries
from talonone_mcp.sandbox.ledgers.entry_views import (
    OF_PROGRAM,
    ledger_entry,
    transactions_page,
    with_uuids,
)
from talonone_mcp.sandbox.ledgers.ledger import program_of
from talonone_mcp.sandbox.ledgers.points import in_passing


def list_loyalty_programs(call: SandboxCall) -> Reply:
    programs = call.store.select("loyalty_programs")
    return 200, {"totalResultSize": len(programs), "data": programs}


def get_loyalty_program(call: SandboxCall) -> Reply:
    return 200, program_of(call)


def list_loyalty_transactions(call: SandboxCall) -> Reply:
    program = program_of(call)
    return 200, transactions_page(call, equal("programId", program["id"]), OF_PROGRAM)


def activate_loyalty_points(call: SandboxCall) -> Reply:
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
        raise RefusalError(404, f"{missing} of them not found", resource="loyaltyTransaction")
    return 200, {
        "ledgerEntries": [ledger_entry(each) for each in activate_entries(call, program, entries)]
    }


def get_loyalty_statistics(call: SandboxCall) -> Reply:
    return 200, figures_at(call.store, program_of(call), call.now)


def get_loyalty_dashboard(call: SandboxCall) -> Reply:
    program = program_of(call)
    first = day_of(program, moment(max(call.arguments["rangeStart"], program["created"])))
    yesterday = call.now - timedelta(days=1)
    last = day_of(program, moment(min(call.arguments["rangeEnd"], stamp(yesterday))))
    days = figures_by_day(call.store, program, first, last, call.arguments.get("subledgerId"))
    return 200, {"totalResultSize": len(days), "data": days}


HANDLERS: Mapping[str, Handler] = {
    "activate_loyalty_points": activate_loyalty_points,
    "get_loyalty_dashboard": get_loyalty_dashboard,
    "get_loyalty_program": get_loyalty_program,
    "get_loyalty_statistics": get_loyalty_statistics,
    "list_loyalty_programs": list_loyalty_programs,
    "list_loyalty_transactions": list_loyalty_transactions,
}
