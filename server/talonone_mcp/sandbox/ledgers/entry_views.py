"""How lists and exports show ledger entries, of customers and cards alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from talonone_mcp.sandbox.documents.conditions import Condition, Where, among, column, equal, within
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.ledgers.points import (
    IMMEDIATE,
    LEFT,
    ON_ACTION,
    UNLIMITED,
    PointsHolder,
    held_by,
    in_passing,
    in_phase,
)

_COMMON = ("transactionUUID", "created", "programId", "customerSessionId", "type", "name",
           "startDate", "expiryDate", "subledgerId", "amount", "id")  # fmt: skip
OF_PROFILE = (*_COMMON, "rulesetId", "ruleName", "flags", "validityDuration")
OF_PROGRAM = (*OF_PROFILE, "campaignId", "customerProfileId", "cardIdentifier", "importId",
              "userId", "userEmail")  # fmt: skip
OF_POINTS = ("id", "transactionUUID", "created", "programId", "customerSessionId", "name",
             "startDate", "expiryDate", "subledgerId", "validityDuration")  # fmt: skip

_SORTS = {"startDate": "from", "expiryDate": "expiryDate"}  # as times: words come last

LOG = {
    "customerprofileid": "customerProfileId",
    "customersessionid": "customerSessionId",
    "rulesetid": "rulesetId",
    "rulename": "ruleName",
    "programid": "programId",
    "type": "type",
    "name": "name",
    "subledgerid": "subledgerId",
    "startdate": "startDate",
    "expirydate": "expiryDate",
    "id": "id",
    "created": "created",
    "amount": "amount",
    "archived": "archived",
    "campaignid": "campaignId",
    "flags": "flags",
    "transactionUUID": "transactionUUID",
}


def transactions_page(
    call: SandboxCall, whose: Where, shown: Sequence[str] = OF_PROFILE
) -> dict[str, Any]:
    """Return the requested page of transactions, newest first.

    Args:
        call: the request, with upstream's usual filters of transactions.
        whose: the holder's entries, or the program's.
        shown: the fields that the operation documents.
    """
    return _page(call, shown, "-created", *_filters(call, whose))


def points_page(
    call: SandboxCall, holder: PointsHolder, shown: Sequence[str] = OF_POINTS
) -> dict[str, Any]:
    """Return the requested page of a holder's unused points.

    Args:
        call: the request, with `status`, active unless it says so, and the usual filters.
        holder: whose points.
        shown: the fields that the operation documents; the amount is what is left.
    """
    page = _page(
        call,
        (*shown, "left"),
        _SORTS.get(call.arguments.get("sort", "")),
        in_phase(call.arguments.get("status", "active"), call.now),
        LEFT,
        *_filters(call, held_by(holder)),
    )
    page["data"] = [each | {"amount": each.pop("left")} for each in page["data"]]
    return page


def _in_subledgers(call: SandboxCall) -> Where:
    """Match the ledgers that the request names: one, or a list."""
    named = call.arguments.get("subledgerId")
    return among("subledgerId", [named] if isinstance(named, str) else named)


def _filters(call: SandboxCall, whose: Where) -> tuple[Where, ...]:
    """Return a request's conditions; selective ones go first, and others only check."""
    asked = call.arguments
    named = with_uuids(asked.get("transactionUUIDs"))
    sessions = among("customerSessionId", asked.get("customerSessionIDs"))
    waiting = _waiting(call) if asked.get("awaitsActivation") else None
    others = (
        equal("origin", asked.get("loyaltyTransactionType")),
        within("created", asked.get("startDate"), asked.get("endDate")),
        _in_subledgers(call),
    )
    if named or sessions:
        return named, sessions, *map(in_passing, (whose, waiting, *others))
    return whose, waiting, *(map(in_passing, others) if waiting else others)


def _waiting(call: SandboxCall) -> Condition:
    begin, end = column("from"), column("expiryDate")
    return Condition(f"{begin} = ? AND +{end} > ?", (ON_ACTION, stamp(call.now)))


def with_uuids(uuids: Sequence[str] | None) -> Where:
    """Match entries by their transaction's UUID, which is their label."""
    if not uuids:
        return None
    marks = ",".join("?" * len(uuids))
    return Condition(f"label IN ({marks})", tuple(uuid.lower() for uuid in uuids))


def _page(
    call: SandboxCall, shown: Sequence[str], sort: str | None, *where: Where
) -> dict[str, Any]:
    size, start = call.arguments.get("pageSize", 50), max(call.arguments.get("skip", 0), 0)
    found = call.store.select("loyalty_entries", *where, sort=sort, limit=size + 1, offset=start)
    data = [{key: each[key] for key in shown if key in each} for each in found[:size]]
    return {"hasMore": len(found) > size, "data": data}


_LEDGER = {
    "created": "created",
    "programId": "programID",
    "customerProfileId": "customerProfileID",
    "cardId": "cardID",
    "customerSessionId": "customerSessionID",
    "eventId": "eventID",
    "type": "type",
    "amount": "amount",
    "startDate": "startDate",
    "expiryDate": "expiryDate",
    "name": "name",
    "subledgerId": "subLedgerID",
    "userId": "userID",
    "flags": "flags",
    "validityDuration": "validityDuration",
}


def ledger_entry(entry: Document) -> Document:
    """Return an entry as full ledgers show it: dates only, not words such as "unlimited"."""
    words = (IMMEDIATE, ON_ACTION, UNLIMITED)
    shown = {
        name: entry[key]
        for key, name in _LEDGER.items()
        if key in entry and entry[key] not in words
    }
    return {"archived": False} | shown


def transaction_log(call: SandboxCall, holder: PointsHolder) -> CsvExport:
    """Return a holder's entries in a range of time, as upstream exports it."""
    where = (held_by(holder), *in_range(call))
    return CsvExport(tuple(LOG), log_rows(call, LOG, *where))


def in_range(call: SandboxCall) -> tuple[Where, ...]:
    """Match the entries in an export's range of time."""
    return (within("created", call.arguments.get("rangeStart"), call.arguments.get("rangeEnd")),)


def log_rows(
    call: SandboxCall, columns: Mapping[str, str], *where: Where
) -> Iterator[dict[str, Any]]:
    """Yield entries as the rows of an export.

    Args:
        call: the request; `dateFormat` is excel or ISO8601.
        columns: the fields of an entry by column.
        where: which entries.
    """
    date = dates(call)
    for entry in call.store.each("loyalty_entries", *where):
        known = {"archived": "false"} | entry
        flags = ",".join(entry.get("flags", ()))
        known |= {key: date(entry[key]) for key in ("created", "startDate", "expiryDate")}
        yield {column: (known | {"flags": flags}).get(key, "") for column, key in columns.items()}


def dates(call: SandboxCall) -> Callable[[str], str]:
    """Return a function that formats a time in the request's `dateFormat`, and leaves words."""
    if call.arguments.get("dateFormat") != "excel":
        return str
    return lambda text: moment(text).strftime("%Y-%m-%d %H:%M:%S") if text[:1].isdigit() else text
