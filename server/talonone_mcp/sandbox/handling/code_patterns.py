"""Random codes from a pattern, in which # stands for a valid character."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, product
from operator import add
from random import Random

from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import SandboxCall

_ATTEMPTS = 20  # draws for one code before trying every possible one
_FEW = 10_000  # codes to try in turn; with more possible, draws rarely miss


def draw(random: Random, pattern: str, characters: Sequence[str]) -> str:
    """Return a random code that fits the pattern."""
    return re.sub("#", lambda _: random.choice(characters), pattern)


def draw_free(
    random: Random,
    pattern: str,
    characters: Sequence[str],
    is_free: Callable[[str], bool],
    at: str = "/couponPattern",
) -> str:
    """Return a random code that fits the pattern and is not taken.

    Args:
        random: draws it.
        pattern: what it looks like.
        characters: what may stand for each #.
        is_free: tells whether a code is not taken.
        at: where in the request the pattern stands.

    Raises:
        RefusalError: 400, when the pattern has no free code.
    """
    drawn = (draw(random, pattern, characters) for _ in range(_ATTEMPTS))
    code = next(filter(is_free, chain(drawn, _all(pattern, characters))), None)
    if code is None:
        raise RefusalError(400, "the pattern has no more free codes", pointer=at)
    return code


def _all(pattern: str, characters: Sequence[str]) -> Iterator[str]:
    """Yield every code that fits the pattern, unless there are too many."""
    parts = pattern.split("#")
    blanks = len(parts) - 1
    if len(characters) ** blanks > _FEW:
        return
    for filling in product(characters, repeat=blanks):
        yield parts[0] + "".join(map(add, filling, parts[1:]))


def new_batch(call: SandboxCall) -> str:
    """Draw the id of a batch."""
    return "".join(call.random.choices(string.ascii_lowercase, k=8))
