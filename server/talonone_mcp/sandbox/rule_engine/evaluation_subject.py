"""What campaigns are evaluated on: a customer's cart or an event at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from talonone_mcp.sandbox.cards.card_records import card_in_application
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.rule_engine.built_in_rules import RuleSituation
from talonone_mcp.sandbox.stores.stores import find_store


@dataclass(frozen=True, slots=True)
class EvaluationSubject:
    """A cart or an event. `profile` is "" for nobody, `session` 0 where there is none.

    `only` are the campaigns to evaluate, whatever their state; None is all that run. `at` is the
    moment at which they run.
    """

    application_id: int
    at: datetime
    profile: str = ""
    session: int = 0
    place: Document | None = None
    codes: Sequence[str] = ()
    referral_code: str = ""
    identifiers: Sequence[str] = ()
    items: Sequence[Document] = ()
    costs: float = 0.0
    event_type: str | None = None
    only: Sequence[int] | None = None

    def seen(
        self, discounted: float, random: Random, coupon: Document | None, referral: Document | None
    ) -> RuleSituation:
        """Return this as a rule sees it, for one coupon or referral, after earlier discounts."""
        return RuleSituation(
            profile=self.profile,
            items=self.items,
            costs=self.costs,
            discounted=discounted,
            random=random,
            event_type=self.event_type,
            coupon=coupon,
            referral=referral,
        )


def place_of(call: SandboxCall, integration_id: str | None) -> Document | None:
    """Return the store that a request names.

    Raises:
        RefusalError: 400, when the Application does not have it.
    """
    if not integration_id:
        return None
    place = find_store(call.store, call.application_id or 0, integration_id)
    if place is None:
        message = f"store {integration_id} does not exist"
        raise RefusalError(400, message, pointer="/storeIntegrationId")
    return place


def check_cards(call: SandboxCall, identifiers: Sequence[str]) -> None:
    """Refuse loyalty cards of no program of the Application.

    Raises:
        RefusalError: 400, when there is one.
    """
    for identifier in identifiers:
        if card_in_application(call, identifier) is None:
            message = f"loyalty card {identifier} does not exist"
            raise RefusalError(400, message, pointer="/loyaltyCards")
