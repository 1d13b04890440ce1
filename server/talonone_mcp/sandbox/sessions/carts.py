"""Carts: the items and costs of a customer session, from a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.catalogs.prices import price_of
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.rule_engine.built_in_rules import item_costs, units

_MOST_UNITS = 10_000  # https://docs.talon.one/integration-api: updateCustomerSessionV2
_AT = "customerSession/cartItems"
# What upstream finds out itself: https://docs.talon.one/integration-api: updateCustomerSessionV2
_OWN = ("returnedQuantity", "remainingQuantity", "position", "catalogItemID", "selectedPriceType",
        "adjustmentReferenceId", "adjustmentEffectiveFrom", "adjustmentEffectiveUntil",
        "prices")  # fmt: skip


def cart_of(call: SandboxCall, given: Sequence[Document]) -> list[Document]:
    """Return the lines of a cart, with their positions, and catalog prices where they have none.

    Raises:
        RefusalError: 400, for too many units, unknown attributes, or an item without a price.
    """
    if sum(each["quantity"] for each in given) > _MOST_UNITS:
        raise RefusalError(400, f"at most {_MOST_UNITS:,} units in a cart", pointer=f"/{_AT}")
    return [_line(call, position, each) for position, each in enumerate(given)]


def _line(call: SandboxCall, position: int, given: Document) -> Document:
    at = f"{_AT}/{position}"
    attributes.check(call, "CartItem", given.get("attributes"), at=f"{at}/attributes")
    check_costs(call, given.get("additionalCosts"), at=f"{at}/additionalCosts")
    asked = {key: value for key, value in given.items() if key not in _OWN}
    line = price_of(call, asked["sku"]) | asked
    if "price" not in line:
        message = f"{asked['sku']} is in no catalog of the Application, so it needs a price"
        raise RefusalError(400, message, pointer=f"/{at}/price")
    return line | {
        "position": position,
        "returnedQuantity": 0,
        "remainingQuantity": asked["quantity"],
    }


def check_costs(call: SandboxCall, costs: dict[str, Any] | None, at: str) -> None:
    """Refuse undefined additional costs.

    Raises:
        RefusalError: 400, with a pointer to the first.
    """
    if not costs:
        return
    known = set(call.store.distinct("additional_costs", "name"))
    for name in costs:
        if name not in known:
            raise RefusalError(
                400, f"additional cost {name} does not exist", pointer=f"/{at}/{name}"
            )


def totals(session: Document) -> Document:
    """Return the sums of a session, before any discounts, of what was not returned."""
    lines = session["cartItems"]
    items = round(sum(each["price"] * units(each) for each in lines), 2)
    of_items = round(sum(item_costs(each) * units(each) for each in lines), 2)
    own = round(sum(each["price"] for each in session["additionalCosts"].values()), 2)
    return {
        "cartItemTotal": items,
        "additionalCostTotal": own,
        "cartItemAdditionalCostTotal": of_items,
        "total": round(items + own + of_items, 2),
    }
