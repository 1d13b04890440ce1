"""Balances, tiers and join dates of loyalty programs as CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from talonone_mcp.sandbox.documents.conditions import among
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.ledgers.ledger import program_of
from talonone_mcp.sandbox.ledgers.points import LedgerBalance, balances_where
from talonone_mcp.sandbox.ledgers.tiers import tier_of

_LEDGERS = 500  # read together


def export_loyalty_join_dates(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    columns = ("loyaltyProgramID", "profileIntegrationID", "joinDate")
    rows = (
        dict(zip(columns, (program["id"], member["customer"], member["joined"]), strict=True))
        for member in call.store.each("loyalty_members", parent=program["id"])
        if member.get("joined", "9999") <= stamp(call.now)
    )
    return 200, CsvExport(columns, rows)


def export_loyalty_tiers(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    columns = ("programid", "subledgerid", "customerprofileid", "tiername", "startdate",
               "expirydate")  # fmt: skip
    return 200, CsvExport(columns, _tier_rows(call, program))


def _tier_rows(call: SandboxCall, program: Document) -> Iterator[dict[str, Any]]:
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


def export_loyalty_balances(call: SandboxCall) -> Reply:
    program = program_of(call, cards=False)
    asked = call.arguments.get("balances")
    shown = {"currentBalance", *(asked.split(",") if asked else _USUAL)}
    # Not among the documented columns, though it may be asked for: there when it is
    negative = ("negativeBalance",) if "negativeBalance" in shown else ()
    columns = ("loyaltyProgramID", "loyaltySubledger", "profileIntegrationID", *_USUAL, *negative,
               "currentTier")  # fmt: skip
    return 200, CsvExport(columns, _balance_rows(call, program, shown))


def _balance_rows(
    call: SandboxCall, program: Document, shown: set[str]
) -> Iterator[dict[str, Any]]:
    for ledger, balance in ledger_balances(call, program):
        tier = tier_of(call.store, program, ledger, call.now)
        yield {
            "loyaltyProgramID": program["id"],
            "loyaltySubledger": ledger["subledgerId"],
            "profileIntegrationID": ledger["customerProfileId"],
            **{name: getattr(balance, _BALANCES[name]) for name in shown},
            "currentTier": tier["name"] if tier else "",
        }


def ledger_balances(
    call: SandboxCall, program: Document
) -> Iterator[tuple[Document, LedgerBalance]]:
    """Yield the ledgers of a program with their balances as of `endDate`, or of now.

    Reading a few hundred at a time keeps memory and queries small, however large the program.
    """
    at = moment(call.arguments["endDate"]) if "endDate" in call.arguments else call.now
    ledgers = call.store.each("loyalty_ledgers", parent=program["id"])
    while several := list(islice(ledgers, _LEDGERS)):
        theirs = among("holder", sorted({ledger["holder"] for ledger in several}))
        found = balances_where(call.store, at, theirs)
        for ledger in several:
            yield ledger, found.get((ledger["holder"], ledger["subledgerId"]), LedgerBalance())


HANDLERS: Mapping[str, Handler] = {
    "export_loyalty_balance": export_loyalty_balances,
    "export_loyalty_balances": export_loyalty_balances,
    "export_loyalty_join_dates": export_loyalty_join_dates,
    "export_loyalty_tiers": export_loyalty_tiers,
}
