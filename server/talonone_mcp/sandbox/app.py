"""The sandbox as an ASGI application: routes, authenticates, limits, answers."""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from talonone_mcp.catalog import Catalog, Operation
from talonone_mcp.sandbox import (
    analytics,
    applications,
    campaigns,
    coupon_files,
    coupons,
    customers,
)
from talonone_mcp.sandbox.demo_account import SHOP, fill
from talonone_mcp.sandbox.handling import Call, Handler, Reply, UpstreamError
from talonone_mcp.sandbox.reading import Router, read
from talonone_mcp.sandbox.store import Store
from talonone_mcp.settings import SANDBOX_KEY

HANDLERS: Mapping[str, Handler] = {
    **applications.HANDLERS,
    **campaigns.HANDLERS,
    **analytics.HANDLERS,
    **coupons.HANDLERS,
    **coupon_files.HANDLERS,
    **customers.HANDLERS,
}
_AUTHORIZATION = {
    "management": f"ManagementKey-v1 {SANDBOX_KEY}",
    "integration": f"ApiKey-v1 {SANDBOX_KEY}",
    "third_party": f"ApiKey-v1 {SANDBOX_KEY}",
    "capillary": f"Bearer {SANDBOX_KEY}",
}
_REQUESTS, _PERIOD = 3, 1.0  # https://docs.talon.one/management-api: per second, for each endpoint


class Sandbox:
    """The application. It starts with a fresh demo account, which goes when it is closed."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        limited: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fill the account.

        Args:
            catalog: which operations there are and what they take.
            limited: whether upstream's limit of requests holds.
            clock: seconds, for that limit.
        """
        self._router = Router(catalog)
        self._store = Store()
        self._random = Random(1)  # the same account, and the same next codes, on every start
        self._limited = limited
        self._clock = clock
        self._recent: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REQUESTS))
        fill(self._store, datetime.now(UTC), self._random)

    def close(self) -> None:
        """Give up the account."""
        self._store.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        try:
            response = _response(*await self._answer(request))
        except UpstreamError as error:
            response = JSONResponse(error.body, error.status, _headers(error))
        except Exception:
            logging.getLogger(__name__).exception("sandbox: %s %s", request.method, request.url)
            response = JSONResponse({"message": "internal error", "StatusCode": 500}, 500)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Reply:
        raw_path = request.scope["raw_path"].decode("ascii").partition("?")[0]
        operation, in_path = self._router.find(request.method, raw_path)
        if request.headers.get("authorization") != _AUTHORIZATION[operation.api]:
            raise UpstreamError(401, "the API key is not valid")
        self._count(operation)
        if operation.name not in HANDLERS:
            raise UpstreamError(501, f"the sandbox cannot play {operation.name} yet")
        call = Call(
            operation=operation,
            arguments=await read(request, operation, in_path),
            store=self._store,
            now=datetime.now(UTC),
            random=self._random,
            application_id=SHOP if operation.api == "integration" else None,
        )
        with self._store.transaction():
            return HANDLERS[operation.name](call)

    def _count(self, operation: Operation) -> None:
        """Refuse a request above the limit; refused ones do not count."""
        recent, now = self._recent[operation.name], self._clock()
        if self._limited and len(recent) == _REQUESTS and now - recent[0] < _PERIOD:
            raise UpstreamError(429, "too many requests")
        recent.append(now)


def _response(status: int, body: Any) -> Response:
    if body is None:
        return Response(status_code=status)
    if isinstance(body, str):
        return Response(body, status, media_type="application/csv")
    return JSONResponse(body, status)


def _headers(error: UpstreamError) -> dict[str, str] | None:
    return {"Retry-After": "1"} if error.status == 429 else None  # noqa: PLR2004 - HTTP's number
