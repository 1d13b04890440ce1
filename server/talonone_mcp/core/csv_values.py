"""Read the values of a CSV's cells as Talon.One's imports take them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

# Plain and exponential notation. `float` and `Decimal` alone would take infinity, other scripts'
# digits and underscores, too.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_MAX_NUMBER_CHARS = 300


def number_in(text: str) -> Decimal | None:
    """Return the number that a cell holds, exactly; None if it holds none or a giant one."""
    text = text.strip()
    if len(text) > _MAX_NUMBER_CHARS or not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if float(number) not in (float("inf"), float("-inf")) else None
