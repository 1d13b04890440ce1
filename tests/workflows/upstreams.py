"""Upstreams that do what the sandbox does not: keep requests waiting, and answer something else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(slots=True)
class Waiting:
    """Answers nobody until as many requests have arrived as `waves` says, wave by wave."""

    app: ASGIApp
    waves: list[int]
    _arrived: int = 0
    _all_here: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._arrived += 1
        all_here = self._all_here
        if self.waves and self._arrived == self.waves[0]:
            self.waves.pop(0)
            self._arrived, self._all_here = 0, anyio.Event()
            all_here.set()
        await all_here.wait()
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Answering:
    """Answers what a pattern finds, such as `GET .*/inventory$`, and leaves the rest to another."""

    app: ASGIApp
    pattern: str
    answer: Any

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if re.search(self.pattern, f"{scope['method']} {scope['path']}"):
            await JSONResponse(self.answer)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


@dataclass(slots=True)
class FailingOnce:
    """Fails one request, by its place in the order in which they arrive."""

    app: ASGIApp
    place: int
    status: int = 500
    arrived: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.arrived += 1
        if self.arrived - 1 == self.place:
            answer = JSONResponse({"message": "out of order"}, self.status)
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)
