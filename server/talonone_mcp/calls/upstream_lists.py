"""Read a list as upstream answers it: its items, and whether they are all there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PAGE_ITEMS = 1000  # that upstream lists at once, at most


def listed(document: Any) -> Sequence[Any]:
    """Return the items of an upstream list, or none."""
    data = document.get("data") if isinstance(document, Mapping) else document
    return data if isinstance(data, Sequence) and not isinstance(data, str) else ()


def count_listed(document: Any) -> int | None:
    """Return how many items there are, if upstream says or shows it."""
    total = document.get("totalResultSize") if isinstance(document, Mapping) else None
    if isinstance(total, int) and not isinstance(total, bool) and total > 0:
        return total
    return len(listed(document)) if is_complete(document) else None


def is_complete(document: Any) -> bool:
    """Tell whether an upstream list holds all there is, as far as it says."""
    if not isinstance(document, Mapping):
        return False
    total = document.get("totalResultSize")
    if isinstance(total, int) and not isinstance(total, bool) and total > 0:
        return total <= len(listed(document))
    return document.get("hasMore") is False or len(listed(document)) < _PAGE_ITEMS
