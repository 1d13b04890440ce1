"""Names in messages: the known one that was probably meant, and several in a row."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ALIKE = 0.6  # of 1: how alike two names must be for one to be a slip for the other


def nearest(name: str, known: Iterable[str], *, count: int = 1, alike: float = _ALIKE) -> list[str]:
    """Return the known names that look most like `name`, the best first.

    Args:
        name: what was given, in any case.
        known: what it can be.
        count: how many to return at most.
        alike: from 0 (anything) to 1 (the same).
    """
    folded = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), folded, n=count, cutoff=alike)
    return [folded[each] for each in found]


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """Return the end of a message about an unknown name: the nearest known one, or all of them.

    Args:
        name: what was given.
        known: what it can be.
        otherwise: what to end with where none is near, in place of all of them.
    """
    candidates = list(known)
    if near := nearest(name, candidates):
        return f"; did you mean {near[0]}?"
    if otherwise is not None:
        return otherwise
    return f"; it can be one of {', '.join(candidates)}" if candidates else ""


def in_words(names: Iterable[str], last: str = "and") -> str:
    """Return names as a sentence has them: "a", "a and b", "a, b and c"."""
    *others, end = [*names] or [""]
    return f"{', '.join(others)} {last} {end}" if others else end
