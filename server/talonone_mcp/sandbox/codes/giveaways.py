"""Giveaways: pools of codes, each of which is awarded to one customer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from talonone_mcp.sandbox.codes.code_files import codes_in
from talonone_mcp.sandbox.customers.profile_records import profile_of
from talonone_mcp.sandbox.documents.conditions import Condition, column, equal, within
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.handling.import_records import imported


def award(call: SandboxCall, pool: int, customer: str) -> Document | None:
    """Award a customer the pool's next valid code.

    Args:
        call: the request.
        pool: the id of the pool.
        customer: the integration id of who gets it; the profile is created if needed.

    Returns:
        The giveaway; None when the pool has none left.
    """
    at = stamp(call.now)
    awardable = Condition(
        f"coalesce({column('startDate')}, '') <= ? AND coalesce({column('endDate')}, '9999') > ?",
        (at, at),
    )
    where = (equal("poolId", pool), equal("used", False))
    free = call.store.select("giveaways", *where, awardable, limit=1)
    if not free:
        return None
    profile = profile_of(call, customer)
    owner = {"profileIntegrationId": customer, "profileId": profile["id"]}
    return call.store.replace("giveaways", free[0] | {"used": True} | owner)


def given_to(store: DocumentStore, customer: str) -> list[Document]:
    """Return the giveaways that a customer was awarded."""
    return store.select("giveaways", equal("profileIntegrationId", customer))


def import_giveaways(call: SandboxCall) -> Reply:
    pool = call.get("giveaway_pools", "poolId")["id"]
    optional = ("startdate", "enddate", "attributes")
    codes = [each for _, each in codes_in(call, "Giveaway", ("code",), optional)]
    record = imported(call, "Giveaway", len(codes))
    first = call.store.next_id("giveaways")
    common = {
        "created": stamp(call.now),
        "poolId": pool,
        "importId": record["id"],
        "used": False,
        "attributes": {},
    }
    call.store.add_all(
        "giveaways",
        (
            ({"id": number, **common, **code}, pool, None)
            for number, code in enumerate(codes, first)
        ),
    )
    return 200, record


_EXPORTED = {
    "id": "id",
    "poolid": "poolId",
    "code": "code",
    "startdate": "startDate",
    "enddate": "endDate",
    "attributes": "attributes",
    "used": "used",
    "importid": "importId",
    "created": "created",
    "profileintegrationid": "profileIntegrationId",
    "profileid": "profileId",
}


def export_giveaways(call: SandboxCall) -> Reply:
    pool = call.get("giveaway_pools", "poolId")["id"]
    created = within(
        "created", call.arguments.get("createdAfter"), call.arguments.get("createdBefore")
    )
    found = call.store.each("giveaways", created, parent=pool)
    return 200, CsvExport(tuple(_EXPORTED), map(_exported, found))


def _exported(giveaway: Document) -> dict[str, Any]:
    shown = {column: giveaway.get(field) for column, field in _EXPORTED.items()}
    attributes = json.dumps(giveaway["attributes"]) if giveaway["attributes"] else ""
    return shown | {"attributes": attributes, "used": str(giveaway["used"]).lower()}


HANDLERS: Mapping[str, Handler] = {
    "import_giveaways": import_giveaways,
    "export_giveaways": export_giveaways,
}
