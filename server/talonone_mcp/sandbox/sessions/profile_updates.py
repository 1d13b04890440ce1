"""Profiles changed by shops: attributes and audiences, of one customer or of many."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.customers.audiences import check_exist, join, leave, members_changed
from talonone_mcp.sandbox.customers.profile_lists import profile_shown
from talonone_mcp.sandbox.customers.profile_records import profile_of, with_attributes
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.rule_engine.campaign_figures import enter_figures, of_event
from talonone_mcp.sandbox.rule_engine.evaluation import evaluate
from talonone_mcp.sandbox.rule_engine.evaluation_subject import EvaluationSubject
from talonone_mcp.sandbox.sessions.closing import carry_out
from talonone_mcp.sandbox.sessions.event_log import LoggedEvent, record
from talonone_mcp.sandbox.sessions.integration_answers import IntegrationAnswer, answer
from talonone_mcp.sandbox.sessions.session_records import rehearsed

_EVENT = "talon_profile_updated"  # the event of an evaluated profile
_MOST_ID = 1000  # characters of an integration id


def update_customer_profile(call: SandboxCall) -> Reply:
    with rehearsed(call, dry=call.arguments.get("dry", False)):
        return 200, _updated(call)


def _updated(call: SandboxCall) -> Document:
    asked = call.arguments
    attributes.check(call, "CustomerProfile", asked.get("attributes"))
    profile = _changed(call, asked["integrationId"], asked.get("attributes"))
    _change_audiences(call, profile)
    if asked.get("runRuleEngine"):
        return _evaluated(call, profile)
    # Only the rule engine fills the other parts of an integration state
    empty: Document = {"effects": [], "createdCoupons": [], "createdReferrals": []}
    return empty | {"customerProfile": profile_shown(call, profile)}


def _evaluated(call: SandboxCall, profile: Document) -> Document:
    """Evaluate the campaigns on a changed profile, and return the answer."""
    customer = profile["integrationId"]
    only = call.arguments.get("evaluableCampaignIds") if call.arguments.get("dry") else None
    subject = EvaluationSubject(
        application_id=call.application_id or 0,
        at=call.now,
        profile=customer,
        event_type=_EVENT,
        only=only or None,
    )
    outcome = evaluate(call, subject)
    carry_out(call, outcome, customer, None)
    enter_figures(call.store, of_event(call.now, subject.application_id, customer, outcome))
    event = record(call, LoggedEvent(_EVENT, profile=profile), outcome)
    return answer(
        call, IntegrationAnswer(None, event, outcome, call.arguments.get("responseContent", ()))
    )


def _changed(call: SandboxCall, integration_id: str, given: Document | None) -> Document:
    if not 0 < len(integration_id) <= _MOST_ID:
        said = f"integrationId must have 1 to {_MOST_ID} characters"
        raise RefusalError(400, said, parameter="integrationId")
    profile = with_attributes(profile_of(call, integration_id), given)
    return call.store.replace("customers", profile | {"lastActivity": stamp(call.now)})


def _change_audiences(call: SandboxCall, profile: Document) -> None:
    changes = call.arguments.get("audiencesChanges", {"adds": [], "deletes": []})
    for part in ("adds", "deletes"):
        check_exist(call, changes[part], status=400, at=f"audiencesChanges/{part}")
    for audience in changes["adds"]:
        join(call, audience, profile)
    for audience in changes["deletes"]:
        leave(call, audience, profile["integrationId"])
    members_changed(call, {*changes["adds"], *changes["deletes"]})


def update_customer_profiles(call: SandboxCall) -> Reply:
    given = call.arguments.get("customerProfiles", [])
    for index, each in enumerate(given):
        at = f"customerProfiles/{index}/attributes"
        attributes.check(call, "CustomerProfile", each.get("attributes"), at=at)
    changed = [_changed(call, each["integrationId"], each.get("attributes")) for each in given]
    if call.arguments.get("silent", "yes") != "no":
        return 204, None
    states = [{"customerProfile": profile_shown(call, each)} for each in changed]
    return 200, {"integrationStates": states}


HANDLERS: Mapping[str, Handler] = {
    "update_customer_profile": update_customer_profile,
    "update_customer_profiles": update_customer_profiles,
}
