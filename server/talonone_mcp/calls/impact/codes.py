"""What new codes give, and what a change of a code that is there gives, takes, opens and closes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.calls.impact.budgets import limit_changes
from talonone_mcp.calls.impact.call_facts import (
    UNKNOWN,
    CallFacts,
    Measured,
    Move,
    count_of,
    is_empty,
    number,
    start_of,
)
from talonone_mcp.core.text import quoted

_COUNTED = ("numberOfCoupons", "recipientsIntegrationIds", "advocateProfileIntegrationIds")
_ANYONE = "anybody can use it, not only the customer it was for"
_UNLIMITED = "without a limit"

# --- New codes ----------------------------------------------------------------------------------


def new_codes(facts: CallFacts) -> Iterator[Measured]:
    """Tell how often customers can redeem the codes that a call creates."""
    count, uses = _number_of_codes(facts), _uses(facts)
    if count is None or uses is None:
        yield Measured(None, f"{_told(count)}, usable {_UNLIMITED}")
    else:
        each = "" if count == 1 else "each "
        times = (
            f"{each}usable once" if uses == 1 else f"{_told(count)}, {each}usable {uses:,g} times"
        )
        yield Measured(count * uses, f"{times}{_recipient(facts)}")


def worth_of_codes(facts: CallFacts) -> Iterator[Measured]:
    """Tell what the codes that a call creates may give in all, where each has a discount limit."""
    count, worth = _number_of_codes(facts), number(facts.given("discountLimit"))
    nested = [number(each.get("limit")) for each in _nested(facts, "setDiscount")]
    worths = [each for each in (worth, *nested) if each]
    if worths:
        each = max(worths)
        total = None if count is None else count * each
        yield Measured(total, f"up to {each:,g} with each code")


def new_referrals(facts: CallFacts) -> Iterator[Measured]:
    """Tell how often friends can use the referral codes that a call creates."""
    count = _number_of_codes(facts)
    uses = number(facts.given("usageLimit"))
    if not uses or count is None:
        yield Measured(None, f"{_told(count)}, usable {_UNLIMITED}")
    else:
        yield Measured(count * uses, f"{_told(count)}, each usable {uses:,g} times")


def _number_of_codes(facts: CallFacts) -> float | None:
    for name in _COUNTED:
        if facts.given(name) is not None:
            return count_of(facts.given(name))
    return 1


def _uses(facts: CallFacts) -> float | None:
    """Return how often each new code can be redeemed; None for without a limit."""
    uses = number(facts.given("usageLimit", 1))
    for each in _nested(facts, "redeemCoupon"):
        limit = number(each.get("limit"))
        if each.get("period") or not limit:
            return None
        uses = max(uses or 0, limit)
    return uses or None


def _nested(facts: CallFacts, action: str) -> list[Mapping[str, Any]]:
    limits = facts.given("limits") or ()
    return [each for each in limits if isinstance(each, Mapping) and each.get("action") == action]


def _told(count: float | None) -> str:
    if count is None:
        return "codes"
    return "1 code" if count == 1 else f"{count:,g} codes"


def _recipient(facts: CallFacts) -> str:
    recipient = facts.given("recipientIntegrationId")
    return f", for customer {quoted(recipient)}" if recipient else ""


# --- A code that is there -----------------------------------------------------------------------


def wider_coupon(facts: CallFacts) -> Iterator[Measured]:
    """Tell what more a coupon gives than before."""
    yield from _more_uses(facts, "usageLimit", "codes", "it can be redeemed")
    yield from _more_uses(facts, "reservationLimit", "codes", "it can be reserved")
    yield from _more_worth(facts)
    move = facts.move("recipientIntegrationId")
    if move and not is_empty(move.old):
        yield Measured(None, _ANYONE if is_empty(move.new) else "to another customer", "codes")
    move = facts.move("implicitlyReserved")
    if move and move.new:
        yield Measured(None, "every customer is shown the code", "codes")
    for each in _limit_changes(facts):
        if each.how in ("grows", "ends", "repeats"):
            yield Measured(each.amount, each.what, each.unit)


def taken_coupon(facts: CallFacts) -> Iterator[Measured]:
    """Tell what customers can no longer do with a coupon."""
    yield from _fewer_uses(facts, "usageLimit", "uses of the code")
    yield from _fewer_uses(facts, "reservationLimit", "reservations of the code")
    move = facts.move("recipientIntegrationId")
    if move and not is_empty(move.new):
        old = None if move.old is UNKNOWN or is_empty(move.old) else move.old
        whose = f"customer {quoted(old)}" if old else "everybody else"
        yield Measured(1, f"from {whose}")
    move = facts.move("discountLimit")
    if move and _is_less(move):
        yield Measured(1, "its discount is limited to less")
    for each in _limit_changes(facts):
        if each.how in ("shrinks", "starts"):
            yield Measured(1, each.what)


def reopened_coupon(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a coupon works for longer, or without a reservation."""
    reasons = [*_opening(facts)]
    move = facts.move("isReservationMandatory")
    if move and not move.new and move.old in (True, UNKNOWN):
        reasons.append("it works without a reservation")
    if reasons:
        yield Measured(1, "; ".join(reasons))


def closed_coupon(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a coupon stops working, now or earlier than it would."""
    reasons = [*_closing(facts)]
    move = facts.move("isReservationMandatory")
    if move and move.new:
        reasons.append("it works only with a reservation")
    if reasons:
        yield Measured(1, "; ".join(reasons))


def wider_referral(facts: CallFacts) -> Iterator[Measured]:
    """Tell what more a referral code gives than before."""
    yield from _more_uses(facts, "usageLimit", "referrals", "it can be used")
    move = facts.move("friendProfileIntegrationId")
    if move and not is_empty(move.old):
        other = _ANYONE if is_empty(move.new) else "to another friend"
        yield Measured(None, other, "referrals")


def taken_referral(facts: CallFacts) -> Iterator[Measured]:
    """Tell what a referral code no longer gives."""
    yield from _fewer_uses(facts, "usageLimit", "uses of the code")
    move = facts.move("friendProfileIntegrationId")
    if move and not is_empty(move.new):
        yield Measured(1, "from everybody but the friend that the call names")


def reopened_referral(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a referral code works for longer."""
    if reasons := [*_opening(facts)]:
        yield Measured(1, "; ".join(reasons))


def closed_referral(facts: CallFacts) -> Iterator[Measured]:
    """Tell when a referral code stops working, now or earlier than it would."""
    if reasons := [*_closing(facts)]:
        yield Measured(1, "; ".join(reasons))


def _more_uses(facts: CallFacts, name: str, unit: str, what: str) -> Iterator[Measured]:
    move = facts.move(name)
    if not move:
        return
    old, new = number(move.old), number(move.new)
    if not new:  # 0 and nothing mean without a limit
        if not move.is_known or old:
            yield Measured(None, f"{what} {_UNLIMITED}", unit)
    elif not move.is_known:
        yield Measured(new, f"{what} {new:,g} times", unit)
    elif old and new > old:
        yield Measured(new - old, f"{what} {new:,g} instead of {old:,g} times", unit)


def _fewer_uses(facts: CallFacts, name: str, what: str) -> Iterator[Measured]:
    move = facts.move(name)
    if not (move and number(move.new)):
        return
    old = number(move.old)
    if not old:
        yield Measured(None, f"{what}, which had no known limit")
    elif move.new < old:
        yield Measured(old - move.new, what)


def _more_worth(facts: CallFacts) -> Iterator[Measured]:
    move = facts.move("discountLimit")
    if not move or _is_less(move):
        return
    old, new = number(move.old), number(move.new)
    if not new:
        yield Measured(None, f"its discount is {_UNLIMITED}", "money")
    else:
        yield Measured(new - (old or 0), f"its discount is up to {new:,g}", "money")


def _is_less(move: Move) -> bool:
    """Tell whether a limit becomes a smaller one; none, and 0, is the largest."""
    new = number(move.new)
    old = number(move.old)
    return bool(new) and move.is_known and (not old or (new or 0) < old)


def _opening(facts: CallFacts) -> Iterator[str]:
    if facts.later("expiryDate") == "later":
        yield "it expires later, or never"
    move = facts.move("startDate")
    if move and move.is_known and start_of(move.old) > max(facts.now, start_of(move.new)):
        yield "it starts earlier"


def _closing(facts: CallFacts) -> Iterator[str]:
    how = facts.later("expiryDate")
    if how == "earlier":
        yield "it expires earlier"
    elif how == "unknown":
        yield "its expiry date changes"
    move = facts.move("startDate")
    if move:
        was = start_of(move.old) if move.is_known else facts.now
        if start_of(move.new) > max(facts.now, was):
            yield "it starts later"


def _limit_changes(facts: CallFacts) -> Iterator[Any]:
    move = facts.move("limits")
    if move:
        yield from limit_changes(move.old if isinstance(move.old, list) else (), move.new or ())


# --- Many codes at once -------------------------------------------------------------------------


def wider_coupons(facts: CallFacts) -> Iterator[Measured]:
    """Tell that many coupons may give more; their limits until now are not shown."""
    for name in ("usageLimit", "discountLimit", "reservationLimit"):
        if facts.names(name):
            yield Measured(None, f"{name} of every code changes", "codes")


def reopened_coupons(facts: CallFacts) -> Iterator[Measured]:
    """Tell that many coupons work for longer, or may."""
    if "expiryDate" in facts.update.cleared or facts.given("replace"):
        yield Measured(_codes_there(facts), "they never expire unless the call sets a date")
    elif facts.names("expiryDate"):
        yield Measured(_codes_there(facts), "their expiry date changes")


def closed_coupons(facts: CallFacts) -> Iterator[Measured]:
    """Tell that many coupons stop working, or may."""
    if facts.given("expiryDate") or facts.given("startDate"):
        yield Measured(_codes_there(facts), "their dates change")


def changed_coupons(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many coupons lose their old values."""
    batch = facts.given("batchID")
    of = f"of batch {quoted(batch)}" if batch else "all that the campaign has"
    yield Measured(None if batch else _codes_there(facts), f"{of}; their old values are lost")


def matching_codes(facts: CallFacts) -> Iterator[Measured]:
    """Tell how many codes a deletion takes."""
    filters = facts.given("filters")
    given = filters if isinstance(filters, Mapping) else facts.arguments
    own = {key: value for key, value in given.items() if key not in facts.operation.path_arguments}
    if not own:
        yield Measured(_codes_there(facts), "all that the campaign has")
    elif "value" in own and own.get("exactMatch"):
        yield Measured(1, quoted(own["value"]))
    else:
        yield Measured(None, "that match the filters")


def _codes_there(facts: CallFacts) -> float | None:
    return number(facts.old("couponCreationCount"))
