"""The sandbox as an ASGI application: routes, authenticates, limits, answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.model import Api
from talonone_mcp.sandbox.codes.coupon_jobs import work_off
from talonone_mcp.sandbox.demo import fill
from talonone_mcp.sandbox.documents.document_store import DocumentStore
from talonone_mcp.sandbox.ground.limits import USUAL_LIMITS, SandboxLimits
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.http.credentials import credentials_of
from talonone_mcp.sandbox.http.handler_table import HANDLERS
from talonone_mcp.sandbox.http.rate_limit import RateLimit
from talonone_mcp.sandbox.http.request_log import carry_out, reads_of
from talonone_mcp.sandbox.http.request_reading import read
from talonone_mcp.sandbox.http.responses import SandboxJson, refusal_response, response_of
from talonone_mcp.sandbox.http.routing import Router
from talonone_mcp.sandbox.logs.access_log import record_access


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """The ASGI application. It fills a demo account unless its file already holds one."""

    def __init__(  # noqa: PLR0913 - what the command line sets
        self,
        catalog: Catalog,
        *,
        data: Path | None = None,
        seed: int = 1,
        scale: int = 1,
        limited: bool = True,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
        limits: SandboxLimits = USUAL_LIMITS,
    ) -> None:
        """Open the account in a file, or fill a new one.

        Args:
            catalog: the operations and their arguments.
            data: the file that keeps the account; None for memory.
            seed: equal seeds give equal accounts and equal generated codes.
            scale: multiplies the number of demo customers.
            limited: whether upstream's rate limit applies.
            clock: seconds, for the rate limit.
            now: the time in the account.
            limits: how much its lists and logs hold.

        Raises:
            DocumentStoreError: the file cannot be used.
        """
        self._router = Router(catalog)
        self._reads = reads_of(catalog, HANDLERS)
        self.store = DocumentStore(data)
        self._random = Random(seed)
        self._limit = RateLimit(clock) if limited else None
        self._now = now
        self._limits = limits
        if self.store.is_new:
            fill(self.store, now(), self._random, scale)
            self.store.keep()

    def close(self) -> None:
        """Close the store; an account in memory is gone."""
        self.store.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except Exception:
            logging.getLogger(__name__).exception("sandbox: %s %s", request.method, scope["path"])
            response = SandboxJson({"message": "internal error", "StatusCode": 500}, 500)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        api: Api = "management"
        application_id, now = None, self._now()
        try:
            raw_path = request.scope["raw_path"].decode("ascii").partition("?")[0]
            operation, in_path = self._router.find(request.method, raw_path)
            api = operation.api
            caller = credentials_of(request, operation, self.store, now)
            application_id = caller.application_id
            if self._limit:
                self._limit.count(operation.name)
            call = SandboxCall(
                operation=operation,
                arguments=await read(request, operation, in_path),
                store=self.store,
                now=now,
                random=self._random,
                application_id=application_id,
                user_id=caller.user_id,
                token=caller.token,
                limits=self._limits,
                query=request.scope["query_string"].decode("latin-1"),
                headers=request.headers,
            )
            return self._play(request, call)
        except (RefusalError, OverflowError) as failure:
            response = refusal_response(failure, api, request.scope["path"])
            if application_id is not None:
                with self.store.transaction():
                    self._log_access(application_id, now, request, response)
            return response

    def _play(self, request: Request, call: SandboxCall) -> Response:
        with self.store.transaction():  # nothing below awaits, so requests do not interleave
            work_off(call)
            response = response_of(*carry_out(call, HANDLERS[call.operation.name], self._reads))
            if call.application_id is not None:
                self._log_access(call.application_id, call.now, request, response)
        return response

    def _log_access(
        self, application: int, at: datetime, request: Request, response: Response
    ) -> None:
        record_access(self.store, application, at, request, response, self._limits)
