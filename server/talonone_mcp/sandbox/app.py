"""The sandbox as an ASGI application: routes, authenticates, limits, answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.model import Api
from talonone_mcp.sandbox.codes.coupon_jobs import work_off
from talonone_mcp.sandbox.demo import fill
from talonone_mcp.sandbox.documents.document_store import DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError, error_body
from talonone_mcp.sandbox.ground.timestamps import brief_times
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.http.credentials import credentials_of
from talonone_mcp.sandbox.http.handler_table import HANDLERS
from talonone_mcp.sandbox.http.rate_limit import RateLimit
from talonone_mcp.sandbox.http.request_log import carry_out, reads_of
from talonone_mcp.sandbox.http.request_reading import read
from talonone_mcp.sandbox.http.routing import Router
from talonone_mcp.sandbox.logs.access_log import record_access
from talonone_mcp.sandbox.scim.resources import SCIM_PATH, scim_error


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """The application. It starts with a demo account, unless its file has an account already."""

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
    ) -> None:
        """Open the account, or fill a new one.

        Args:
            catalog: which operations there are and what they take.
            data: the file that keeps the account; None for memory.
            seed: the same seed gives the same account, and the same next codes.
            scale: how many times the customers of the demo account there are.
            limited: whether upstream's limit of requests holds.
            clock: seconds, for that limit.
            now: the time that it is in the account.

        Raises:
            StoreError: the file cannot be used.
        """
        self._router = Router(catalog)
        self._reads = reads_of(catalog, HANDLERS)
        self._store = DocumentStore(data)
        self._random = Random(seed)
        self._limit = RateLimit(clock) if limited else None
        self._now = now
        if self._store.is_new:
            fill(self._store, now(), self._random, scale)
            self._store.keep()

    def close(self) -> None:
        """Give up the account, or leave it in its file."""
        self._store.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except Exception:
            logging.getLogger(__name__).exception("sandbox: %s %s", request.method, scope["path"])
            response = _Json({"message": "internal error", "StatusCode": 500}, 500)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        api: Api = "management"
        application_id, now = None, self._now()
        try:
            raw_path = request.scope["raw_path"].decode("ascii").partition("?")[0]
            operation, in_path = self._router.find(request.method, raw_path)
            api = operation.api
            caller = credentials_of(request, operation, self._store, now)
            application_id = caller.application_id
            if self._limit:
                self._limit.count(operation.name)
            call = SandboxCall(
                operation=operation,
                arguments=await read(request, operation, in_path),
                store=self._store,
                now=now,
                random=self._random,
                application_id=application_id,
                user_id=caller.user_id,
                token=caller.token,
                query=request.scope["query_string"].decode("latin-1"),
                headers=request.headers,
            )
            return self._play(request, call)
        except (RefusalError, OverflowError) as failure:
            error = _as_refusal(failure)
            response = _refusal(error, api, request.scope["path"])
            if application_id is not None:
                with self._store.transaction():
                    record_access(self._store, application_id, now, request, response)
            return response

    def _play(self, request: Request, call: SandboxCall) -> Response:
        with self._store.transaction():  # from here on nothing waits, so nothing comes in between
            work_off(call)
            response = _response(*carry_out(call, HANDLERS[call.operation.name], self._reads))
            if call.application_id is not None:
                record_access(self._store, call.application_id, call.now, request, response)
        return response


class _Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return brief_times(orjson.dumps(content))


def _response(status: int, body: Any) -> Response:
    if body is None:
        return Response(status_code=status)
    if isinstance(body, CsvExport):
        return StreamingResponse(body.lines(), status, media_type="application/csv")
    return _Json(body, status)


def _as_refusal(failure: RefusalError | OverflowError) -> RefusalError:
    """Return the refusal; an integer of more than 64 bits is one that no store can hold."""
    if isinstance(failure, RefusalError):
        return failure
    return RefusalError(400, "an integer has more than 64 bits")


def _refusal(error: RefusalError, api: Api, path: str) -> Response:
    headers = {"Retry-After": "1"} if error.status == HTTPStatus.TOO_MANY_REQUESTS else None
    body = error_body(error, api, uuid4())
    if path.startswith(SCIM_PATH):
        body |= scim_error(error)
    return _Json(body, error.status, headers)
