"""Returns: items of a closed session that come back, and what is undone with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from talonone_mcp.sandbox.customers.profile_records import count_orders
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.ledgers.session_rollback import undo_session
from talonone_mcp.sandbox.rule_engine.campaign_budgets import SpentBudget, spend_budgets
from talonone_mcp.sandbox.rule_engine.campaign_figures import enter_figures, of_return
from talonone_mcp.sandbox.rule_engine.evaluation import EvaluationOutcome
from talonone_mcp.sandbox.sessions.carts import totals
from talonone_mcp.sandbox.sessions.closing import as_use, discount_taken_back, points_taken_back
from talonone_mcp.sandbox.sessions.event_log import LoggedEvent, record
from talonone_mcp.sandbox.sessions.integration_answers import IntegrationAnswer, answer
from talonone_mcp.sandbox.sessions.reevaluation import reevaluated, without_discounts
from talonone_mcp.sandbox.sessions.session_records import existing, rehearsed

_AT = "/return/returnedCartItems"


def return_cart_items(call: SandboxCall) -> Reply:
    session = existing(call)
    if session["state"] not in ("closed", "partially_returned"):
        raise RefusalError(400, f"a session that is {session['state']} has no returns", pointer="/")
    with rehearsed(call, dry=call.arguments.get("dry", False)):
        return 200, _returned(call, session)


def _returned(call: SandboxCall, before: Document) -> Document:
    lines, returned = _without(before["cartItems"], call.arguments["return"]["returnedCartItems"])
    session = before | {
        "cartItems": lines,
        "state": "partially_returned",
        "updated": stamp(call.now),
        "updateCount": before["updateCount"] + 1,
    }
    session |= totals(session)
    session, effects = _items_taken_back(call, before, session)
    if call.arguments.get("runRuleEngine"):
        session, again = reevaluated(call, session)
        effects += again
    outcome = EvaluationOutcome(effects=effects)
    session["effects"] = effects
    call.store.replace("sessions", session)
    event = record(call, LoggedEvent("talon_session_partially_returned", session=session), outcome)
    wanted = call.arguments.get("responseContent", ())
    state = answer(call, IntegrationAnswer(session, event, outcome, wanted))
    return state | {"return": _entered(call, session, event, returned)}


def _without(
    lines: Sequence[Document], asked: Sequence[Mapping[str, Any]]
) -> tuple[list[Document], list[Document]]:
    """Return the cart without the returned items, and the returned items with positions.

    Raises:
        RefusalError: 400, for an item that the cart does not have, or not as many of.
    """
    left = [dict(each) for each in lines]
    returned = []
    for index, each in enumerate(asked):
        position = _position(left, each)
        if position is None:
            raise RefusalError(400, "the cart has no such item", pointer=f"{_AT}/{index}")
        line = left[position]
        quantity = each.get("quantity", line["remainingQuantity"])
        if not 0 < quantity <= line["remainingQuantity"]:
            message = f"{line['remainingQuantity']} of {line['sku']} can be returned"
            raise RefusalError(400, message, pointer=f"{_AT}/{index}/quantity")
        line["remainingQuantity"] -= quantity
        line["returnedQuantity"] += quantity
        returned.append({"position": position, "quantity": quantity, "sku": line["sku"]})
    return left, returned


def _position(lines: Sequence[Document], asked: Mapping[str, Any]) -> int | None:
    """Return an item's index in the cart: by position, or else the first with its SKU."""
    for position, line in enumerate(lines):
        here = asked.get("position", position) == position
        if here and asked.get("sku", line["sku"]) == line["sku"] and {"position", "sku"} & {*asked}:
            return position
    return None


def _items_taken_back(
    call: SandboxCall, before: Document, session: Document
) -> tuple[Document, list[Document]]:
    """Undo the returned items' discounts and their share of the points.

    What was given for the session as a whole stays, unless its campaign is evaluated again:
    https://docs.talon.one/docs/dev/tutorials/partially-return-a-session
    """
    gone = [each for each in session["applied"] if _is_of_returned(each, session["cartItems"])]
    kept = [each for each in session["applied"] if each not in gone]
    lost, left = _divided(gone, [as_use(each) for each in session["used"]])
    spend_budgets(call, lost, -1)
    refund = round(before["total"] - session["total"], 2)
    share = refund / before["closedTotal"] if before["closedTotal"] else 0.0
    entries = undo_session(
        call, session["applicationId"], session["integrationId"], share=min(share, 1.0)
    )
    if session["profileId"]:
        count_orders(call, session["profileId"], 0, -refund)
    discounts = sum(each.amount for each in lost if each.action == "setDiscount")
    figures = {"campaignRefund": refund, "campaignRefundedDiscounts": discounts}
    enter_figures(call.store, of_return(call.now, session, figures, 0))
    effects = [*map(discount_taken_back, gone), *map(points_taken_back, entries)]
    used = [each.kept() for each in left]
    return session | {"applied": kept, "used": used} | without_discounts(session, gone), effects


def _is_of_returned(effect: Document, lines: Sequence[Document]) -> bool:
    if effect["effectType"] != "setDiscountPerItem":
        return False
    props = effect["props"]
    return bool(props["subPosition"] >= lines[props["position"]]["remainingQuantity"])


def _divided(
    gone: Sequence[Document], uses: Sequence[SpentBudget]
) -> tuple[list[SpentBudget], list[SpentBudget]]:
    """Split uses of budgets into those of undone discounts and the rest."""
    lost, left = list[SpentBudget](), list(uses)
    for effect in gone:
        wanted = {"setDiscount": effect["props"]["value"], "setDiscountEffect": 1}
        for action, amount in wanted.items():
            same = (effect["campaignId"], action, amount)
            for each in left:
                if (each.campaign, each.action, each.amount) == same:
                    lost.append(each)
                    left.remove(each)
                    break
    return lost, left


def _entered(
    call: SandboxCall, session: Document, event: Document, returned: Sequence[Document]
) -> Document:
    entry = {
        "created": stamp(call.now),
        "applicationId": session["applicationId"],
        "accountId": ACCOUNT_ID,
        "returnedCartItems": returned,
        "eventId": event["id"],
        "sessionId": session["id"],
        "sessionIntegrationId": session["integrationId"],
    }
    if session["profileId"]:
        entry |= {
            "profileId": session["profile"],
            "profileIntegrationId": session["profileId"],
        }
    return call.store.add("returns", entry, parent=session["id"])


HANDLERS: Mapping[str, Handler] = {"return_cart_items": return_cart_items}
