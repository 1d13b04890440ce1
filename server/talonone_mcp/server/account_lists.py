"""What there is in the account, by id and name: kept for a minute, for whoever chooses from it.

Clients list and complete as a person types, many times in a row and several at once; upstream is
asked once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.text import one_line

Read = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Calls an operation that reads and returns the whole of its answer. Raises CallError."""

_KEPT_S = 60.0
_LINE = 200  # characters of a name, or of a description


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the account: the operation that reads it, and where an item has what is kept."""

    operation: str
    key: str = "id"
    name: str = "name"
    about: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)


_LARGEST = 1000  # upstream's largest page: one request
APPLICATIONS = Listing("list_applications", about="description", given={"pageSize": _LARGEST})
CAMPAIGNS = Listing("list_campaigns", given={"pageSize": _LARGEST, "sort": "-created"})
RULESETS = Listing("list_rulesets", name="", given={"pageSize": _LARGEST, "sort": "-created"})
PROGRAMS = Listing("list_loyalty_programs", name="title", about="description")
COUPONS = Listing("search_coupons", key="value", name="", given={"pageSize": 100})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of the account, each text on one line."""

    id: str
    name: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Entries:
    """The things of a list; `complete` unless there are more than one page holds."""

    items: tuple[Entry, ...] = ()
    complete: bool = True


@dataclass(slots=True)
class _Kept:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    entries: Entries = Entries()
    until: float | None = None


class AccountLists:
    """The lists that were read lately."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, max_lists: int = 100) -> None:
        """Begin with none, and keep as many."""
        self._clock = clock
        self._max_lists = max_lists
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()

    async def entries(
        self, read: Read, listing: Listing, arguments: Mapping[str, Any] | None = None
    ) -> Entries:
        """Return a list, from upstream if it is not known. Who comes meanwhile waits for that.

        Args:
            read: makes the request.
            listing: which list.
            arguments: what the operation needs beside those of the listing.

        Raises:
            CallError: upstream did not answer with the list; the next one asks again.
        """
        arguments = arguments or {}
        kept = self._of((listing.operation, *sorted(arguments.items())))
        async with kept.lock:
            if kept.until is None or self._clock.monotonic() >= kept.until:
                kept.entries = await _read(read, listing, arguments)
                kept.until = self._clock.monotonic() + _KEPT_S
            return kept.entries

    def forget(self) -> None:
        """Know nothing any more; what is being read now is for those who wait for it alone."""
        self._kept.clear()

    def _of(self, key: tuple[object, ...]) -> _Kept:
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _Kept()
            if len(self._kept) > self._max_lists:
                self._kept.popitem(last=False)
        return kept


async def _read(read: Read, listing: Listing, arguments: Mapping[str, Any]) -> Entries:
    fields = [name for name in (listing.key, listing.name, listing.about) if name]
    answer = await read(listing.operation, {**listing.given, **arguments, "fields": fields})
    items = answer.get("data", [])
    more = answer.get("hasMore", answer.get("totalResultSize", 0) > len(items))
    return Entries(tuple(_entry(listing, item) for item in items), complete=not more)


def _entry(listing: Listing, item: Mapping[str, Any]) -> Entry:
    texts = (str(item.get(name, "")) for name in (listing.name, listing.about))
    return Entry(str(item[listing.key]), *(one_line(text, _LINE) for text in texts))
