"""Reads a list across pages, for a call that wants more items than one page holds.

Upstream pages by items skipped, so items added or removed meanwhile shift the rest. Each page
therefore starts at the last item of the one before: if another item is there, the list has changed.
Repeated items are dropped, and the answer says so.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from talonone_mcp.calls.shaping.model_answer import Shaped
from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.problems import Problem
from talonone_mcp.core.progress import Progress
from talonone_mcp.upstream.http_messages import Answer
from talonone_mcp.upstream.wire_errors import unreadable

FETCH_ALL = "fetchAll"
_CHANGED = "The list changed while it was read, so items may be missing."
_SPARE_REQUESTS = 3  # beyond those for full pages: the list may change, or end late

Send = Callable[[Mapping[str, Any], Progress], Awaitable[Answer]]
"""Sends one request with these arguments, and reports its waits."""


@dataclass(slots=True)
class Pages:
    """The items read so far.

    Attributes:
        limit: how many items to read at most.
        reached: how many items of the list precede the next one.
        items: the items read.
        total: how many items the list has, if upstream says.
        more: whether the list may continue.
        changed: whether the list changed while it was read.
    """

    limit: int
    reached: int
    items: list[Any] = field(default_factory=list)
    total: int | None = None
    more: bool = True
    changed: bool = False
    _seen: set[str] = field(default_factory=set)
    _last: str | None = None

    def take(self, page: list[Any], skip: int, total: int | None, more: bool) -> None:
        """Add a page that starts after `skip` items of a list of `total`."""
        if None not in (total, self.total) and total != self.total:
            self.changed = True
        fresh = list(self._fresh(page))
        self.items += fresh[: self.limit - len(self.items)]
        self.total = total
        # A page that gets no further is the last, whatever upstream says.
        self.more = more and skip + len(page) > self.reached
        self.reached = skip + len(page)

    def _fresh(self, page: list[Any]) -> Iterator[Any]:
        """Yield the items not seen before."""
        keys = [_key(item) for item in page]
        moved = self._last is not None and keys[:1] != [self._last]
        overlap = 0 if moved or self._last is None else 1
        self.changed |= moved
        for key, item in zip(keys[overlap:], page[overlap:], strict=True):
            # Items without an id may be equal but distinct; in a list that moved, they are repeats.
            if key in self._seen and (moved or _has_id(item)):
                self.changed = True
            else:
                yield item
        self._seen.update(keys)
        self._last = keys[-1] if keys else self._last


def contradictions(arguments: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of arguments that exclude `fetchAll`; `skip` sets where it starts."""
    if FETCH_ALL not in arguments or "pageSize" not in arguments:
        return []
    return [
        Problem("pageSize", f"cannot be combined with {FETCH_ALL}, which reads the largest pages")
    ]


async def fetch_all(
    operation: Operation, arguments: Mapping[str, Any], send: Send, progress: Progress
) -> tuple[Answer, Pages]:
    """Read up to `fetchAll` items of a list, starting after `skip`, and report each page.

    Args:
        operation: a list with `pageSize` and `skip`.
        arguments: the call's arguments, validated.
        send: sends one request.
        progress: is told the items read, and how many there will be once that is known.

    Returns:
        Upstream's answer as if it were one page, and what was read.

    Raises:
        CallError: a page could not be read.
    """
    max_page_size = int(operation.input_schema["properties"]["pageSize"]["maximum"])
    start = int(arguments.get("skip", 0))
    pages = Pages(int(arguments[FETCH_ALL]), start)

    async def report(_: float, __: float | None, message: str) -> None:
        available = None if pages.total is None else max(pages.total - start, len(pages.items))
        expected = None if available is None else min(available, pages.limit)
        await progress(len(pages.items), expected, message)

    for _ in range(pages.limit // (max_page_size - 1) + _SPARE_REQUESTS):
        overlap = 1 if pages.items else 0
        skip = pages.reached - overlap
        size = min(pages.limit - len(pages.items) + overlap, max_page_size)
        answer = await send({**arguments, "skip": skip, "pageSize": size}, report)
        page = _items(operation, answer)
        total, more = answer.body.get("totalResultSize"), answer.body.get("hasMore")
        if more is None:
            more = len(page) == size if total is None else total > skip + len(page)
        pages.take(page, skip, total, more)
        await report(0, None, f"{len(pages.items):,} items of {operation.name}")
        if not pages.more or len(pages.items) >= pages.limit:
            break
    return replace(answer, body=answer.body | {"data": pages.items, "hasMore": pages.more}), pages


def described(shaped: Shaped, pages: Pages | None, arguments: Mapping[str, Any]) -> Shaped:
    """Return the answer with a `page` that says how much was read and whether the list changed.

    Args:
        shaped: the answer.
        pages: what was read; None if there was only one request.
        arguments: the call's arguments.
    """
    if pages is None:
        return shaped
    read, page = len(pages.items), shaped.content["page"]
    page = {"shown": page["shown"], "fetched": read, **page}
    if page["shown"] == read:
        page.pop("next", None)
        page |= {"next": {**arguments, "skip": pages.reached}} if pages.more else {}
    if pages.changed:
        page |= {"changed": True, "note": _CHANGED}
    return replace(shaped, content={**shaped.content, "page": page})


def _items(operation: Operation, answer: Answer) -> list[Any]:
    page = answer.body.get("data") if isinstance(answer.body, dict) else None
    if not isinstance(page, list):
        raise unreadable(operation, answer.status, "its answer is not a page of a list")
    return page


def _has_id(item: object) -> bool:
    return isinstance(item, dict) and item.get("id") is not None


def _key(item: Any) -> str:
    return json.dumps(item["id"] if _has_id(item) else item, sort_keys=True)
