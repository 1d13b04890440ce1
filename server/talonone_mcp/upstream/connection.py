"""Upstream as the rest of the server sees it: one connection pool, credentials, pace, retries."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx

from talonone_mcp import __version__
from talonone_mcp.core.catalog import Operation, Tool
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.settings import Settings
from talonone_mcp.core.text import one_line
from talonone_mcp.store.pace import Pace
from talonone_mcp.upstream import credentials
from talonone_mcp.upstream.exchange import Exchange, OutgoingCall, UpstreamStatistics
from talonone_mcp.upstream.http_messages import Answer, Request, Sink
from talonone_mcp.upstream.limiter import Limiter
from talonone_mcp.upstream.login_session import LoginSession
from talonone_mcp.upstream.place import Place
from talonone_mcp.upstream.pool_admission import MAX_CONCURRENT_REQUESTS
from talonone_mcp.upstream.redaction import Redaction
from talonone_mcp.upstream.retries import Retries
from talonone_mcp.upstream.token_cache import token_cache

OnResponse = Callable[[httpx.Response], Awaitable[None]]
"""Is shown the head of an answer."""

_CONNECT_TIMEOUT_S = 10.0  # within the time for the whole request
_SESSIONS = "/v1/sessions"  # upstream's endpoint: POST opens a session, DELETE ends it


class Upstream:
    """Sends requests to Talon.One."""

    def __init__(
        self,
        settings: Settings,
        login: Operation,
        session: LoginSession,
        exchange: Exchange,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._login = login
        self._session = session
        self._exchange = exchange
        self._retries = Retries(clock)
        self._clock = clock
        self._redaction = Redaction(settings.secrets)

    def check(self, operation: Operation, application: object = None) -> None:
        """Return if a call has the credentials that the operation's API asks for.

        Args:
            operation: what is to be called.
            application: the Application that the call names, if any.

        Raises:
            CallError: `not_configured`; `not_found`, if a session is to end and none is open.
        """
        credentials.check(operation, self._settings, application)
        if operation.path == _SESSIONS and operation.method == "DELETE" and not self._session.token:
            raise CallError("not_found", "This server has no open session to end.")
        if operation.body and operation.body.credentials:
            credentials.login_document(self._settings)

    @property
    def applications(self) -> tuple[int, ...]:
        """The ids of the Applications that have their own key of the Integration API."""
        return self._settings.applications

    def place(self, tool: Tool) -> Place:
        """Return where a tool's calls are sent."""
        url = self._settings.url(tool.apis[0])
        return Place(url, self._settings.deployment, self._settings.sandbox)

    def statistics(self) -> UpstreamStatistics:
        """Count what is under way at this moment."""
        return self._exchange.statistics()

    async def send(
        self,
        operation: Operation,
        request: Request,
        *,
        progress: Progress = silent,
        sink: Sink | None = None,
    ) -> Answer:
        """Send a request, retry it where that makes sense, and return its answer.

        Args:
            operation: what to call.
            request: what to send.
            progress: is told about waits of more than a second, and about retries.
            sink: takes the body of an export, which is then not in the answer.

        Raises:
            CallError: the call did not succeed.
        """
        ends = self._clock.monotonic() + self._settings.deadline
        call = OutgoingCall(operation, request, ends, progress, sink)
        if operation.body and operation.body.credentials:
            return await self._open_session(call)
        if operation.api == "management" and operation.path == _SESSIONS:
            return await self._end_session(call)
        if operation.api == "management" and not self._settings.management_key:
            return await self._in_session(call)
        headers = credentials.headers(operation, self._settings, application=request.application)
        return await self._send(call, headers)

    async def _open_session(self, call: OutgoingCall) -> Answer:
        document = json.dumps(credentials.login_document(self._settings))
        call = replace(call, request=replace(call.request, content=document))
        answer = await self._send(call, {})
        return replace(answer, body=await self._session.keep(answer.body))

    async def _end_session(self, call: OutgoingCall) -> Answer:
        token = self._session.token
        headers = credentials.headers(call.operation, self._settings, token)
        try:
            return await self._send(call, headers)
        finally:  # whatever happened, the next call signs in again
            await self._session.forget(token)

    async def _in_session(self, call: OutgoingCall) -> Answer:
        """Send with the session's token, and once more with a new one if it was refused."""
        token = await self._token(call)
        try:
            headers = credentials.headers(call.operation, self._settings, token)
            return await self._send(call, headers)
        except CallError as error:
            if error.kind != "unauthorized":
                raise
        await self._session.forget(token)
        headers = credentials.headers(call.operation, self._settings, await self._token(call))
        return await self._send(call, headers)

    async def _token(self, call: OutgoingCall) -> str:
        login = replace(call, operation=self._login, request=Request(_SESSIONS), sink=None)
        return await self._session.opened(lambda: self._open_session(login))

    async def _send(self, call: OutgoingCall, headers: Mapping[str, str]) -> Answer:
        redaction, token = self._redaction, self._session.token
        if token or call.request.secrets:
            redaction = redaction.and_of([*call.request.secrets, token or ""])
        resends = itertools.count()
        attempt = partial(self._exchange.attempt, call, headers, redaction)
        return await self._retries.run(
            lambda: attempt(next(resends)), ends=call.ends, progress=call.progress
        )


@asynccontextmanager
async def open_upstream(  # noqa: PLR0913 - what a test, doctor or a shared store replaces
    settings: Settings,
    login: Operation,
    app: Any = None,
    *,
    clock: Clock = SYSTEM_CLOCK,
    pace: Pace | None = None,
    on_response: OnResponse | None = None,
) -> AsyncIterator[Upstream]:
    """Open the process's one connection pool to Talon.One.

    Args:
        settings: where to send, and with which keys.
        login: the operation that opens a session, for an account without a Management key.
        app: an ASGI application that answers instead of the network, as the sandbox does.
        clock: measures pace, waits and deadlines.
        pace: decides when a request may go; by default one of this process alone.
        on_response: is shown the head of every answer, whatever its status.

    Raises:
        CallError: `unreachable`, if the certificates or the proxy that are set make every request
            impossible.
    """
    session = LoginSession(token_cache(settings, clock))
    try:
        opened = _open_http(settings, app, on_response)
    except (OSError, ValueError, ImportError) as error:
        raise CallError(
            "unreachable",
            f"No request can be made: {one_line(str(error), 200).removesuffix('.')}.",
            hint="This server's operator should check SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY,"
            " HTTP_PROXY and ALL_PROXY, as far as they are set.",
        ) from None
    async with opened as http:
        await session.resume()
        exchange = Exchange(settings, http, Limiter(clock, pace), clock)
        yield Upstream(settings, login, session, exchange, clock)


def _open_http(settings: Settings, app: Any, on_response: OnResponse | None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False) if app else None
    hooks: dict[str, list[Callable[..., Any]]] = {
        "request": [_note_sent] if app else [],
        "response": [on_response] if on_response else [],
    }
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(None, connect=min(_CONNECT_TIMEOUT_S, settings.timeout)),
        limits=httpx.Limits(
            max_connections=MAX_CONCURRENT_REQUESTS,
            max_keepalive_connections=MAX_CONCURRENT_REQUESTS,
        ),
        headers={"User-Agent": f"talonone-mcp/{__version__}", "Accept": "application/json, */*"},
        event_hooks=hooks,
        follow_redirects=False,
    )


async def _note_sent(request: httpx.Request) -> None:
    """Say that a request is sent now: without a network, nothing else does."""
    await request.extensions["trace"]("asgi.send_request_headers.started", {})
