"""Names in messages: suggestions for a misspelt one, lists of several, singulars of units."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MIN_SIMILARITY = 0.6  # of 1, for one name to be a misspelling of another
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", ""))


def nearest(
    name: str, known: Iterable[str], *, count: int = 1, alike: float = _MIN_SIMILARITY
) -> list[str]:
    """Return the known names most similar to `name`, the best first.

    Args:
        name: the given name, in any case.
        known: the possible names.
        count: how many to return at most.
        alike: the minimum similarity, from 0 (anything) to 1 (equal).
    """
    folded = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower(), folded, n=count, cutoff=alike)
    return [folded[match] for match in matches]


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """Return the end of a message about an unknown name: the nearest known one, or all of them.

    Args:
        name: the given name.
        known: the possible names.
        otherwise: the ending if no name is near, instead of all of them.
    """
    candidates = list(known)
    if near := nearest(name, candidates):
        return f"; did you mean {near[0]}?"
    if otherwise is not None:
        return otherwise
    return f"; it must be one of {', '.join(candidates)}" if candidates else ""


def in_words(names: Iterable[str], last: str = "and") -> str:
    """Return names as they read in a sentence: "a", "a and b", "a, b and c"."""
    *others, final = [*names] or [""]
    return f"{', '.join(others)} {last} {final}" if others else final


def singular(plural: str) -> str:
    """Return the singular of a unit, such as "point" of "points"."""
    if plural == "people":
        return "person"
    ending, single = next(((a, b) for a, b in _ENDINGS if plural.endswith(a)), ("", ""))
    return plural.removesuffix(ending) + single
