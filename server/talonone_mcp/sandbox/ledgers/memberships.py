"""Who has joined which profile-based loyalty program, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from talonone_mcp.sandbox.documents.conditions import Condition, among, column
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.ledgers.daily_figures import book_figures
from talonone_mcp.sandbox.ledgers.points import LEFT, PointsHolder, held_by


def member_label(program_id: int, customer: str) -> str:
    """Return the label of a membership."""
    return json.dumps([program_id, customer])


def join(store: DocumentStore, program: Document, holder: PointsHolder, now: datetime) -> None:
    """Make a customer with new points a member, by the program's join policy.

    With `points_activated` the day may lie ahead, and earlier points may bring it nearer; points
    that wait for an action are no such day yet. With `not_join` there is never a day.

    Source: https://docs.talon.one/management-api: LoyaltyProgram, programJoinPolicy
    """
    if holder.customer is None:
        return
    member = store.find("loyalty_members", member_label(program["id"], holder.customer))
    if member is None:
        member = _enter(store, program, holder.customer, now)
    policy = program.get("programJoinPolicy", "not_join")
    joined = member.get("joined")
    if policy == "not_join" or (joined is not None and joined <= stamp(now)):
        return
    day = stamp(now) if policy == "points_earned" else _first_active(store, holder)
    if day != joined:
        kept = {key: value for key, value in member.items() if key != "joined"}
        store.replace("loyalty_members", kept | ({"joined": day} if day else {}))


def _enter(store: DocumentStore, program: Document, customer: str, now: datetime) -> Document:
    book_figures(store, program, now, {"members": 1})
    return store.add(
        "loyalty_members",
        {"programId": program["id"], "customer": customer, "created": stamp(now)},
        parent=program["id"],
        label=member_label(program["id"], customer),
    )


def _first_active(store: DocumentStore, holder: PointsHolder) -> str | None:
    """Return when a customer's first points become active; None if only an action can."""
    known = Condition(f"{column('from')} < 'A'")  # a time, and no word
    first = store.select("loyalty_entries", held_by(holder), known, LEFT, sort="from", limit=1)
    return first[0]["from"] if first else None


def joined_at(store: DocumentStore, program: Document, customer: str, now: datetime) -> str | None:
    """Return when a customer joined a program; None if they have not."""
    member = store.find("loyalty_members", member_label(program["id"], customer))
    joined = (member or {}).get("joined")
    return joined if joined is not None and joined <= stamp(now) else None


def set_join_date(
    store: DocumentStore, program: Document, customer: str, joined: str, now: datetime
) -> None:
    """Set a customer's join date, making them a member if needed."""
    member = store.find("loyalty_members", member_label(program["id"], customer))
    if member is None:
        member = _enter(store, program, customer, min(moment(joined), now))
    store.replace("loyalty_members", member | {"joined": joined})


def memberships(store: DocumentStore, *customers: str) -> list[Document]:
    """Return the memberships of some customers, by program."""
    return store.select("loyalty_members", among("customer", customers), sort="programId")


def memberships_of(call: SandboxCall, customers: Sequence[str]) -> dict[str, list[Document]]:
    """Return the programs that customers belong to, each with the join date, if any."""
    found: dict[str, list[Document]] = {customer: [] for customer in customers}
    for member in memberships(call.store, *customers) if customers else ():
        joined = member.get("joined")
        has_joined = joined is not None and joined <= stamp(call.now)
        shown = {"loyaltyProgramId": member["programId"]}
        found[member["customer"]].append(shown | ({"joined": joined} if has_joined else {}))
    return found
