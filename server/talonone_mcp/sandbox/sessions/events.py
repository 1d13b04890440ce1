"""Custom events: tracking them, and listing what happened in an Application."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.customers.profile_records import profile_of
from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    among,
    column,
    contains,
    equal,
    with_child,
)
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.documents.time_ranges import best_order, created_within
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page, page_of
from talonone_mcp.sandbox.rule_engine.campaign_figures import enter_figures, of_event
from talonone_mcp.sandbox.rule_engine.evaluation import evaluate
from talonone_mcp.sandbox.rule_engine.evaluation_subject import (
    EvaluationSubject,
    check_cards,
    place_of,
)
from talonone_mcp.sandbox.sessions.closing import carry_out
from talonone_mcp.sandbox.sessions.event_log import LoggedEvent, record
from talonone_mcp.sandbox.sessions.integration_answers import IntegrationAnswer, answer, event_shown
from talonone_mcp.sandbox.sessions.session_records import find_session, rehearsed


def track_event(call: SandboxCall) -> Reply:
    with rehearsed(call, dry=call.arguments.get("dry", False)):
        state = _tracked(call, {})
    return (200, state) if _wants_answer(call) else (204, None)


def track_advanced_event(call: SandboxCall) -> Reply:
    name = call.arguments["integrationId"]
    if find_event(call.store, call.application_id or 0, name):
        raise RefusalError(409, f"event {name} exists", pointer="/integrationId")
    connected = {}
    if "connectedSessionId" in call.arguments:
        connected["connectedSessionId"] = _closed_session(call)["integrationId"]
    with rehearsed(call, dry=call.arguments.get("dry", False)):
        state = _tracked(call, connected)
    kept = state if _wants_answer(call) else {key: state[key] for key in _ALWAYS}
    return 200, kept  # there is no other documented answer, be it silent


_ALWAYS = ("effects", "createdCoupons", "createdReferrals")


def _wants_answer(call: SandboxCall) -> bool:
    return bool(call.arguments.get("silent", "yes") == "no")


def find_event(store: DocumentStore, application: int, integration_id: str) -> Document | None:
    """Return an advanced event of an Application by its own id."""
    return store.find("events", f"{application}/{integration_id}")


def _closed_session(call: SandboxCall) -> Document:
    """Return the session that an event refers to.

    Raises:
        RefusalError: 400, when there is none, or it is not closed.
    """
    name = call.arguments["connectedSessionId"]
    session = find_session(call.store, call.application_id or 0, name)
    if session is None or session["state"] != "closed":
        message = f"session {name} is {session['state'] if session else 'unknown'}, not closed"
        raise RefusalError(400, message, pointer="/connectedSessionId")
    return session


def _tracked(call: SandboxCall, connected: Document) -> Document:
    asked = call.arguments
    profile = profile_of(call, asked["profileId"])
    _check(call)
    subject = _subject(call)
    outcome = evaluate(call, subject)
    carry_out(call, outcome, subject.profile, None)
    enter_figures(call.store, of_event(call.now, subject.application_id, subject.profile, outcome))
    happening = LoggedEvent(
        type=asked["type"],
        profile=profile,
        attributes=asked.get("attributes", {}),
        place=asked.get("storeIntegrationId"),
        integration_id=asked.get("integrationId"),
    )
    event = record(call, happening, outcome) | connected
    if connected:
        call.store.replace("events", event)
    wanted, cards = asked.get("responseContent", ()), asked.get("loyaltyCards", ())
    return answer(call, IntegrationAnswer(None, event, outcome, wanted, cards))


def _check(call: SandboxCall) -> None:
    """Refuse built-in and undefined types, and missing entities.

    Raises:
        RefusalError: 400, with a pointer.
    """
    name = call.arguments["type"]
    if not call.store.count("event_types", equal("name", name)):
        message = f"event type {name} is not defined; it must be a custom one"
        raise RefusalError(400, message, pointer="/type")
    attributes.check(call, "Event", call.arguments.get("attributes"), event_type=name)
    check_cards(call, call.arguments.get("loyaltyCards", ()))


def _subject(call: SandboxCall) -> EvaluationSubject:
    asked = call.arguments
    only = asked.get("evaluableCampaignIds") if asked.get("dry") else None
    return EvaluationSubject(
        application_id=call.application_id or 0,
        at=call.now,
        profile=asked["profileId"],
        place=place_of(call, asked.get("storeIntegrationId")),
        event_type=asked["type"],
        only=only or None,
    )


def get_advanced_event(call: SandboxCall) -> Reply:
    name = call.arguments["integrationId"]
    event = find_event(call.store, call.application_id or 0, name)
    if event is None:
        raise RefusalError(404, f"event {name} does not exist", resource="event")
    return 200, event_shown(event)


# --- Lists ---------------------------------------------------------------------------------------


def list_application_events(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    asked = call.arguments
    types = [each.strip() for each in asked.get("type", "").split(",") if each.strip()]
    others = (
        among("type", types),
        equal("session", asked.get("session")),
        equal("profile", asked.get("profile")),
        _of_customers("Name", asked.get("customerName")),
        _of_customers("Email", asked.get("customerEmail")),
    )
    time = created_within(
        "events", application, asked.get("createdAfter"), asked.get("createdBefore")
    )
    where = best_order(application, time, few=[_with_effect(call, application)], others=others)
    return 200, page(call, "events", *where, total=False, present=_shown)


_SHOWN = ("id", "created", "applicationId", "profileId", "storeIntegrationId", "integrationId",
          "sessionId", "type", "attributes", "effects", "ruleFailureReasons")  # fmt: skip


def _shown(event: Document) -> Document:
    return {key: event[key] for key in _SHOWN if key in event}


def _of_customers(attribute: str, part: str | None) -> Where:
    """Match events of customers with a text in one of their attributes."""
    wanted = contains(f"attributes.{attribute}", part)
    if wanted is None:
        return None
    customers = f'SELECT label FROM "customers" WHERE {wanted.sql}'  # noqa: S608 - our own text
    return Condition(f"{column('profile')} IN ({customers})", wanted.values)


def _with_effect(call: SandboxCall, application: int) -> Where:
    """Match events with an effect that meets all filters by effect."""
    asked = call.arguments
    where = [
        equal("coupon", _upper(asked.get("couponCode"))),
        equal("referral", _upper(asked.get("referralCode"))),
        equal("effectType", asked.get("effectType")),
        _of_campaigns(call, application, asked.get("campaignQuery")),
        _of_rules(call, application, asked.get("ruleQuery")),
    ]
    if not any(where):
        return None
    return with_child("effects", equal("applicationId", application), *where)


def _upper(code: str | None) -> str | None:
    return code.upper() if code else None


def _of_campaigns(call: SandboxCall, application: int, part: str | None) -> Where:
    if part is None:
        return None
    found = call.store.select("campaigns", contains("name", part), parent=application)
    return among("campaignId", [0, *(each["id"] for each in found)])


def _of_rules(call: SandboxCall, application: int, part: str | None) -> Where:
    """Match effects of rules with a text in their names, of which there are few."""
    if part is None:
        return None
    campaigns = call.store.select("campaigns", parent=application)
    rulesets = (call.store.get("rulesets", each["activeRulesetId"]) for each in campaigns)
    names = {rule["title"] for each in rulesets if each for rule in each["rules"]}
    found = [name for name in names if part.casefold() in name.casefold()]
    return among("ruleName", sorted(found)) or Condition("0")


def list_application_event_types(call: SandboxCall) -> Reply:
    application = call.get("applications", "applicationId")["id"]
    names = call.store.distinct("events", "type", equal("applicationId", application))
    names.sort(reverse=str(call.arguments.get("sort", "")).startswith("-"))
    return 200, page_of(call, names, total=True)


def list_event_types(call: SandboxCall) -> Reply:
    """List the definitions; by default, only the newest version of each."""
    asked = call.arguments
    old = asked.get("includeOldVersions", False) or "name" in asked
    name = column("name")
    newest = f'id IN (SELECT max(id) FROM "event_types" GROUP BY {name})'  # noqa: S608 - our own text
    return 200, page(
        call,
        "event_types",
        equal("name", asked.get("name")),
        None if old else Condition(newest),
        total=True,
    )


HANDLERS: Mapping[str, Handler] = {
    "track_event": track_event,
    "track_advanced_event": track_advanced_event,
    "get_advanced_event": get_advanced_event,
    "list_application_events": list_application_events,
    "list_application_event_types": list_application_event_types,
    "list_event_types": list_event_types,
}
