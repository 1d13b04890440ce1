"""Customer sessions: carts opened, changed, closed, cancelled and reopened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.customers.profile_records import profile_of, with_attributes
from talonone_mcp.sandbox.documents.conditions import Condition
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.rule_engine.evaluation import EvaluationOutcome, evaluate
from talonone_mcp.sandbox.rule_engine.evaluation_subject import (
    EvaluationSubject,
    check_cards,
    place_of,
)
from talonone_mcp.sandbox.sessions import closing
from talonone_mcp.sandbox.sessions.carts import cart_of, check_costs, totals
from talonone_mcp.sandbox.sessions.event_log import LoggedEvent, record
from talonone_mcp.sandbox.sessions.integration_answers import (
    IntegrationAnswer,
    answer,
    session_shown,
)
from talonone_mcp.sandbox.sessions.session_records import (
    code_rows,
    existing,
    find_session,
    of_customer,
    rehearsed,
)

# From which state a request may lead to which: https://docs.talon.one/docs/dev/concepts/entities
_NEXT: Mapping[str | None, tuple[str, ...]] = {
    None: ("open", "closed"),
    "open": ("open", "closed", "cancelled"),
    "closed": ("cancelled",),
    "partially_returned": ("cancelled",),
    "cancelled": (),
}
# Properties that a request changes as they are, and keeps when it leaves them out
_TAKEN = ("storeIntegrationId", "evaluableCampaignIds", "couponCodes", "referralCode",
          "loyaltyCards", "experimentVariantAllocations", "additionalCosts",
          "identifiers")  # fmt: skip


def get_customer_session(call: SandboxCall) -> Reply:
    session = existing(call)
    return 200, {"customerSession": session_shown(session), "effects": session["effects"]}


# --- Updating ------------------------------------------------------------------------------------


def update_customer_session(call: SandboxCall) -> Reply:
    with rehearsed(call, dry=call.arguments.get("dry", False)):
        return 200, _updated(call)


def _updated(call: SandboxCall) -> Document:
    name = call.arguments["customerSessionId"]
    known = find_session(call.store, call.application_id or 0, name)
    asked = call.arguments["customerSession"]
    state = asked.get("state", "open")
    before = known["state"] if known else None
    if state not in _NEXT[before]:
        message = f"a session that is {before or 'new'} cannot become {state}"
        raise RefusalError(400, message, pointer="/customerSession/state")
    if known and state == "cancelled":
        return _cancelled(call, known)
    session = _merged(call, _base(call, known), asked) | {"state": state}
    outcome = evaluate(call, subject_of(call, session))
    return _settled(call, session, outcome, is_new=known is None)


def _base(call: SandboxCall, known: Document | None) -> Document:
    """Return the session that a request changes; a dry run starts from an empty one.

    https://docs.talon.one/integration-api: updateCustomerSessionV2, parameter dry.
    """
    empty = {
        "id": known["id"] if known else call.store.next_id("sessions"),
        "created": known["created"] if known else stamp(call.now),
        "integrationId": call.arguments["customerSessionId"],
        "applicationId": call.application_id,
        "profileId": "",
        "couponCodes": [],
        "referralCode": "",
        "loyaltyCards": [],
        "cartItems": [],
        "additionalCosts": {},
        "identifiers": [],
        "attributes": {},
        "updateCount": 0,
        "effects": [],
    }
    return empty if known is None or call.arguments.get("dry") else known


def _merged(call: SandboxCall, base: Document, asked: Document) -> Document:
    """Return the session with a request's changes.

    Raises:
        RefusalError: 400, with a pointer to what does not exist.
    """
    attributes.check(
        call, "CustomerSession", asked.get("attributes"), at="customerSession/attributes"
    )
    check_costs(call, asked.get("additionalCosts"), at="customerSession/additionalCosts")
    session = base | {key: asked[key] for key in _TAKEN if key in asked}
    session = with_attributes(session, asked.get("attributes"))
    if "cartItems" in asked:
        session["cartItems"] = cart_of(call, asked["cartItems"])
    session |= {"profileId": asked.get("profileId", base["profileId"])}
    profile = profile_of(call, session["profileId"]) if session["profileId"] else None
    return session | {
        "profile": profile["id"] if profile else None,
        "firstSession": _is_first(call, session),
        "updateCount": base["updateCount"] + 1,
        "updated": stamp(call.now),
        **totals(session),
    }


def _is_first(call: SandboxCall, session: Document) -> bool:
    """Return whether the customer has no earlier session; without a customer, True."""
    if not session["profileId"]:
        return True
    applications = [each["id"] for each in call.store.select("applications")]
    earlier = Condition("id < ?", (session["id"],))
    return not any(
        call.store.select("sessions", *of_customer(each, session["profileId"]), earlier, limit=1)
        for each in applications
    )


def subject_of(call: SandboxCall, session: Document) -> EvaluationSubject:
    """Return a session as the campaigns see it.

    Raises:
        RefusalError: 400, when its store or one of its cards does not exist.
    """
    at = call.now
    if call.arguments.get("dry") and "now" in call.arguments:
        at = _future(call)
    check_cards(call, session["loyaltyCards"])
    only = session.get("evaluableCampaignIds") if call.arguments.get("dry") else None
    return EvaluationSubject(
        application_id=session["applicationId"],
        at=at,
        profile=session["profileId"],
        session=session["id"],
        place=place_of(call, session.get("storeIntegrationId")),
        codes=session["couponCodes"],
        referral_code=session["referralCode"],
        identifiers=session["identifiers"],
        items=session["cartItems"],
        costs=session["additionalCostTotal"],
        only=only or None,
    )


def _future(call: SandboxCall) -> datetime:
    at = moment(call.arguments["now"])
    if at < call.now:
        raise RefusalError(400, "now must be in the future", parameter="now")
    return at


def _settled(
    call: SandboxCall, session: Document, outcome: EvaluationOutcome, *, is_new: bool
) -> Document:
    """Store an evaluated session and, if it closes, its consequences; return the answer."""
    session |= {
        "effects": outcome.effects,
        "discounts": outcome.discounts,
        "totalDiscounts": outcome.discounted,
    }
    closes = session["state"] == "closed"
    if is_new:
        call.store.add("sessions", session, parent=call.application_id, label=_label(session))
    if closes:
        session["closedAt"] = stamp(call.now)
        session = closing.close(call, session, outcome)
    _keep_codes(call.store, session)
    call.store.replace("sessions", session)
    happening = LoggedEvent(_event_type(session, is_new=is_new), session=session)
    if is_new and closes:
        record(call, replace(happening, type="talon_session_created"), EvaluationOutcome())
    event = record(call, happening, outcome)
    return answer(
        call, IntegrationAnswer(session, event, outcome, call.arguments.get("responseContent", ()))
    )


def _label(session: Document) -> str:
    return f"{session['applicationId']}/{session['integrationId']}"


def _event_type(session: Document, *, is_new: bool) -> str:
    if session["state"] == "closed":
        return "talon_session_closed"
    return "talon_session_created" if is_new else "talon_session_updated"


def _keep_codes(store: DocumentStore, session: Document) -> None:
    """Store a session's codes, so that it can be found by them."""
    rows = list(code_rows(session))
    kept = store.select("session_codes", parent=session["id"])
    if rows == [{key: each[key] for key in each if key != "id"} for each in kept]:
        return
    store.delete_where("session_codes", parent=session["id"])
    for row in rows:
        store.add("session_codes", row, parent=session["id"])


# --- Calling off and reopening -------------------------------------------------------------------


def _cancelled(call: SandboxCall, session: Document) -> Document:
    return taken_back(call, session, "cancelled")


def reopen_customer_session(call: SandboxCall) -> Reply:
    session = existing(call)
    if session["state"] != "closed":
        raise RefusalError(400, f"the session is {session['state']}, not closed", pointer="/")
    return 200, {"effects": taken_back(call, session, "open")["effects"]}


def taken_back(call: SandboxCall, session: Document, state: str) -> Document:
    """Undo a session's effects, store its new state, and return the answer."""
    outcome = EvaluationOutcome(effects=closing.undo(call, session, reopens=state == "open"))
    at = stamp(call.now)
    session = session | {
        "state": state,
        "updated": at,
        "updateCount": session["updateCount"] + 1,
        "effects": outcome.effects,
    }
    session.pop("closedAt" if state == "open" else "used", None)
    if state == "cancelled":
        session["cancelledAt"] = at
    call.store.replace("sessions", session)
    name = "talon_session_reopened" if state == "open" else "talon_session_cancelled"
    event = record(call, LoggedEvent(name, session=session), outcome)
    return answer(
        call, IntegrationAnswer(session, event, outcome, call.arguments.get("responseContent", ()))
    )


HANDLERS: Mapping[str, Handler] = {
    "get_customer_session": get_customer_session,
    "update_customer_session": update_customer_session,
    "reopen_customer_session": reopen_customer_session,
}
