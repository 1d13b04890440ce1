"""Loyalty points through customer engagement platforms, the Third-party API."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.handling import Call, Handler, Reply
from talonone_mcp.sandbox.loyalty.ledger import program_of
from talonone_mcp.sandbox.loyalty.programs import add_asked, holder_in, program_ledgers


def cep_get_loyalty_ledger(call: Call) -> Reply:
    program = program_of(call, cards=False)
    customer = holder_in(call, program, "profileIntegrationId").customer
    return 200, program_ledgers(call, program, str(customer))


def cep_add_loyalty_points(call: Call) -> Reply:
    program = program_of(call, cards=False)
    add_asked(call, program, holder_in(call, program, "profileIntegrationId"))
    return 204, None


HANDLERS: Mapping[str, Handler] = {
    "cep_add_loyalty_points": cep_add_loyalty_points,
    "cep_get_loyalty_ledger": cep_get_loyalty_ledger,
}
