"""The points and transactions of a customer in a loyalty program."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.ledgers.deductions import deduct_points
from talonone_mcp.sandbox.ledgers.entry_changes import erase_entries
from talonone_mcp.sandbox.ledgers.entry_views import points_page, transaction_log, transactions_page
from talonone_mcp.sandbox.ledgers.ledger import program_of
from talonone_mcp.sandbox.ledgers.point_requests import add_asked, cause_asked
from talonone_mcp.sandbox.ledgers.points import held_by
from talonone_mcp.sandbox.loyalty.profile_ledgers import holder_in, program_ledgers


def add_loyalty_points(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    add_asked(call, program, holder_in(call, program))
    return 204, None


def deduct_loyalty_points(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    deduct_points(
        call,
        holder_in(call, program),
        call.arguments["points"],
        subledger=call.arguments.get("subledgerId", ""),
        cause=cause_asked(call, program),
    )
    return 204, None


def list_profile_loyalty_transactions(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    return 200, transactions_page(call, held_by(holder_in(call, program)))


def list_profile_loyalty_points(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    return 200, points_page(call, holder_in(call, program))


def delete_loyalty_transactions(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    holder = holder_in(call, program)
    every = call.arguments["scope"] == "AllSubledgers"
    erase_entries(call, holder, None if every else call.arguments["subledgerIds"])
    return 204, None


def export_loyalty_ledger(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    return 200, transaction_log(call, holder_in(call, program))


def cep_get_loyalty_ledger(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    customer = holder_in(call, program, "profileIntegrationId").customer
    return 200, program_ledgers(call, program, str(customer))


def cep_add_loyalty_points(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    add_asked(call, program, holder_in(call, program, "profileIntegrationId"))
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "add_loyalty_points": add_loyalty_points,
    "deduct_loyalty_points": deduct_loyalty_points,
    "delete_loyalty_transactions": delete_loyalty_transactions,
    "export_loyalty_ledger": export_loyalty_ledger,
    "list_loyalty_ledger_transactions": list_profile_loyalty_transactions,
    "list_profile_loyalty_points": list_profile_loyalty_points,
    "list_profile_loyalty_transactions": list_profile_loyalty_transactions,
    "cep_add_loyalty_points": cep_add_loyalty_points,
    "cep_get_loyalty_ledger": cep_get_loyalty_ledger,
}
