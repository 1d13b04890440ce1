"""Pages of lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from talonone_mcp.sandbox.documents.conditions import Where
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import SandboxCall


def page(  # noqa: PLR0913 - what a list is made of
    call: SandboxCall,
    kind: str,
    *where: Where,
    parent: int | None = None,
    total: bool,
    present: Callable[[Document], Document] | None = None,
    present_all: Callable[[list[Document]], list[Document]] | None = None,
) -> dict[str, Any]:
    """Return the requested page of a list, sorted as requested.

    Args:
        call: the request.
        kind: the kind of documents.
        where: the conditions that they meet.
        parent: what they belong to.
        total: whether upstream gives `totalResultSize`; otherwise, `hasMore`.
        present: turns a document into what upstream shows; None for no change.
        present_all: the same for a whole page, where it needs other documents.
    """
    size, start = _extent(call)
    found = call.store.select(
        kind, *where, parent=parent, sort=call.arguments.get("sort"), limit=size + 1, offset=start
    )
    shown = found[:size]
    if present:
        shown = [present(each) for each in shown]
    if present_all:
        shown = present_all(shown)
    if total:
        return {"totalResultSize": call.store.count(kind, *where, parent=parent), "data": shown}
    return {"hasMore": len(found) > size, "data": shown}


def page_of(call: SandboxCall, items: Sequence[Any], *, total: bool) -> dict[str, Any]:
    """Return the requested page of a computed list."""
    size, start = _extent(call)
    shown = items[start : start + size]
    if total:
        return {"totalResultSize": len(items), "data": shown}
    return {"hasMore": start + size < len(items), "data": shown}


def _extent(call: SandboxCall) -> tuple[int, int]:
    properties = call.operation.input_schema["properties"]
    default = properties["pageSize"].get("default", 1000) if "pageSize" in properties else 1000
    return call.arguments.get("pageSize", default), max(call.arguments.get("skip", 0), 0)
