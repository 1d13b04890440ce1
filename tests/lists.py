"""An upstream with one long list, which may change between two pages of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

Change = Callable[[list[Any]], object]


@dataclass(slots=True)
class LongList:
    """The application. `changes` are made one after each page, until there are no more."""

    items: list[Any]
    counted: bool = True  # whether a page tells the length of the list, or only that there is more
    changes: list[Change] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.bodies.append(json.loads(await request.body() or "null"))
        skip, size = (int(request.query_params.get(name, 0)) for name in ("skip", "pageSize"))
        self.asked.append((skip, size))
        page = self.items[skip : skip + size]
        answer: dict[str, Any] = {"data": page, "hasMore": skip + size < len(self.items)}
        if self.counted:
            answer = {"data": page, "totalResultSize": len(self.items)}
        if self.changes:
            self.changes.pop(0)(self.items)
        await JSONResponse(answer)(scope, receive, send)


def numbered(count: int, start: int = 1) -> list[dict[str, int]]:
    """Return items with ids from `start` on."""
    return [{"id": number} for number in range(start, start + count)]
