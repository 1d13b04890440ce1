"""Caches lists of the account, by id and name, for a minute.

Clients list and complete while a user types, often and concurrently; upstream is asked once.
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
"""Calls a read operation and returns its full answer. Raises CallError."""

_CACHE_TTL_S = 60.0
_MAX_TEXT_CHARS = 200  # of a name or description


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the account.

    Attributes:
        operation: the operation that reads it.
        key: the field that holds an item's id.
        name: the field that holds its name; "" if there is none.
        about: the field that holds its description; "" if there is none.
        given: arguments that are always sent.
    """

    operation: str
    key: str = "id"
    name: str = "name"
    about: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)


_MAX_PAGE_SIZE = 1000  # upstream's largest page, so that one request reads the list
APPLICATIONS = Listing("list_applications", about="description", given={"pageSize": _MAX_PAGE_SIZE})
CAMPAIGNS = Listing("list_campaigns", given={"pageSize": _MAX_PAGE_SIZE, "sort": "-created"})
RULESETS = Listing("list_rulesets", name="", given={"pageSize": _MAX_PAGE_SIZE, "sort": "-created"})
PROGRAMS = Listing("list_loyalty_programs", name="title", about="description")
COUPONS = Listing("search_coupons", key="value", name="", given={"pageSize": 100})


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One item of a list; each text is on one line."""

    id: str
    name: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class AccountEntries:
    """The items of a list; `complete` is False if there are more than one page holds."""

    items: tuple[AccountEntry, ...] = ()
    complete: bool = True


@dataclass(slots=True)
class _CachedList:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    entries: AccountEntries = AccountEntries()
    until: float | None = None


class AccountLists:
    """The lists that were read recently."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, max_lists: int = 100) -> None:
        """Start empty, and cache up to `max_lists`."""
        self._clock = clock
        self._max_lists = max_lists
        self._lists: OrderedDict[tuple[object, ...], _CachedList] = OrderedDict()

    async def entries(
        self, read: Read, listing: Listing, arguments: Mapping[str, Any] | None = None
    ) -> AccountEntries:
        """Return a list, from upstream if it is not cached. Concurrent callers wait for one read.

        Args:
            read: makes the request.
            listing: which list.
            arguments: arguments besides those of the listing.

        Raises:
            CallError: upstream did not return the list; the next call asks again.
        """
        arguments = arguments or {}
        cached = self._of((listing.operation, *sorted(arguments.items())))
        async with cached.lock:
            if cached.until is None or self._clock.monotonic() >= cached.until:
                cached.entries = await _read(read, listing, arguments)
                cached.until = self._clock.monotonic() + _CACHE_TTL_S
            return cached.entries

    def forget(self) -> None:
        """Empty the cache. A read under way serves only those already waiting for it."""
        self._lists.clear()

    def _of(self, key: tuple[object, ...]) -> _CachedList:
        cached = self._lists.get(key)
        if cached is None:
            cached = self._lists[key] = _CachedList()
            if len(self._lists) > self._max_lists:
                self._lists.popitem(last=False)
        return cached


async def _read(read: Read, listing: Listing, arguments: Mapping[str, Any]) -> AccountEntries:
    fields = [name for name in (listing.key, listing.name, listing.about) if name]
    answer = await read(listing.operation, {**listing.given, **arguments, "fields": fields})
    items = answer.get("data", [])
    more = answer.get("hasMore", answer.get("totalResultSize", 0) > len(items))
    return AccountEntries(tuple(_entry(listing, item) for item in items), complete=not more)


def _entry(listing: Listing, item: Mapping[str, Any]) -> AccountEntry:
    texts = (str(item.get(name, "")) for name in (listing.name, listing.about))
    return AccountEntry(
        str(item[listing.key]), *(one_line(text, _MAX_TEXT_CHARS) for text in texts)
    )
