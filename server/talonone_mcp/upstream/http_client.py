"""Upstream as the rest of the server sees it, over the one HTTP client of the process."""

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
from talonone_mcp.upstream import credentials
from talonone_mcp.upstream.exchange import Call, Exchange
from talonone_mcp.upstream.limiter import Limiter
from talonone_mcp.upstream.login_session import Session
from talonone_mcp.upstream.messages import Answer, Request, Sink
from talonone_mcp.upstream.pool_entrance import AT_ONCE
from talonone_mcp.upstream.redaction import Redaction
from talonone_mcp.upstream.retries import Retries
from talonone_mcp.upstream.token_cache import token_cache

__all__ = ["Answer", "Client", "Request", "Sink", "open_client"]

Heard = Callable[[httpx.Response], Awaitable[None]]

_CONNECT = 10.0  # seconds to reach the deployment, within the limit for the whole request
_SESSIONS = "/v1/sessions"  # upstream's endpoint: POST opens a session, DELETE ends it


class Client:
    """Upstream, as the executor sees it."""

    def __init__(
        self,
        settings: Settings,
        login: Operation,
        http: httpx.AsyncClient,
        session: Session,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._login = login
        self._session = session
        self._upstream = Exchange(settings, http, Limiter(clock), clock)
        self._retries = Retries(clock)
        self._clock = clock
        self._redaction = Redaction(settings.secrets)

    def check(self, operation: Operation, application: object = None) -> None:
        """Return when there is what the operation's API asks for.

        Args:
            operation: what is to be called.
            application: the Application that the call names, if it does.

        Raises:
            CallError: `not_configured`; `not_found`, when a session is to end and none is open.
        """
        credentials.check(operation, self._settings, application)
        if operation.path == _SESSIONS and operation.method == "DELETE" and not self._session.token:
            raise CallError(
                "not_found", "This server has no session open, so there is none to end."
            )
        if operation.body and operation.body.credentials:
            credentials.credentials(self._settings)

    @property
    def applications(self) -> tuple[int, ...]:
        """The Applications that have a key of the Integration API each, by their ids."""
        return self._settings.applications

    def deployment(self, tool: Tool) -> str:
        """Return where a call is sent, as a person knows it."""
        return self._settings.url(tool.apis[0])

    async def send(
        self,
        operation: Operation,
        request: Request,
        *,
        progress: Progress = silent,
        sink: Sink | None = None,
    ) -> Answer:
        """Send one request, again where that makes sense, and return its answer.

        Args:
            operation: what to call.
            request: what to send.
            progress: is told about waits of more than a second, and about further attempts.
            sink: takes the body of an export, which is then not in the answer.

        Raises:
            CallError: whatever keeps it from being a success.
        """
        ends = self._clock.monotonic() + self._settings.deadline
        call = Call(operation, request, ends, progress, sink)
        if operation.body and operation.body.credentials:
            return await self._open_session(call)
        if operation.api == "management" and operation.path == _SESSIONS:
            return await self._end_session(call)
        if operation.api == "management" and not self._settings.management_key:
            return await self._in_session(call)
        headers = credentials.headers(operation, self._settings, application=request.application)
        return await self._exchange(call, headers)

    async def _open_session(self, call: Call) -> Answer:
        document = json.dumps(credentials.credentials(self._settings))
        call = replace(call, request=replace(call.request, content=document))
        answer = await self._exchange(call, {})
        return replace(answer, body=await self._session.keep(answer.body))

    async def _end_session(self, call: Call) -> Answer:
        token = self._session.token
        headers = credentials.headers(call.operation, self._settings, token)
        try:
            return await self._exchange(call, headers)
        finally:  # whatever came of it, the next call logs in anew
            await self._session.forget(token)

    async def _in_session(self, call: Call) -> Answer:
        """Send with the session's token, and once more with a new one if it was refused."""
        token = await self._token(call)
        try:
            headers = credentials.headers(call.operation, self._settings, token)
            return await self._exchange(call, headers)
        except CallError as error:
            if error.kind != "unauthorized":
                raise
        await self._session.forget(token)
        headers = credentials.headers(call.operation, self._settings, await self._token(call))
        return await self._exchange(call, headers)

    async def _token(self, call: Call) -> str:
        login = replace(call, operation=self._login, request=Request(_SESSIONS), sink=None)
        return await self._session.opened(lambda: self._open_session(login))

    async def _exchange(self, call: Call, headers: Mapping[str, str]) -> Answer:
        redaction, token = self._redaction, self._session.token
        if token or call.request.secrets:
            redaction = redaction.and_of([*call.request.secrets, token or ""])
        resends = itertools.count()
        attempt = partial(self._upstream.attempt, call, headers, redaction)
        return await self._retries.run(
            lambda: attempt(next(resends)), ends=call.ends, progress=call.progress
        )


@asynccontextmanager
async def open_client(
    settings: Settings,
    login: Operation,
    app: Any = None,
    clock: Clock = SYSTEM_CLOCK,
    heard: Heard | None = None,
) -> AsyncIterator[Client]:
    """Open the process's one HTTP client.

    Args:
        settings: where to send, with which keys.
        login: the operation that opens a session, for an account without a Management key.
        app: an ASGI application that answers in place of the network, as the sandbox does.
        clock: measures pace, waits and deadlines.
        heard: is shown the head of every answer, whatever its status.

    Raises:
        CallError: `unreachable`, when no request can be made, because of certificates or a proxy
            that are set.
    """
    session = Session(token_cache(settings))
    try:
        opened = _http(settings, app, heard)
    except (OSError, ValueError, ImportError) as error:
        raise CallError(
            "unreachable",
            f"No request can be made: {one_line(str(error), 200).removesuffix('.')}.",
            hint="Check SSL_CERT_FILE and SSL_CERT_DIR, and HTTPS_PROXY, HTTP_PROXY and ALL_PROXY,"
            " as far as they are set.",
        ) from None
    async with opened as http:
        await session.resume()
        yield Client(settings, login, http, session, clock)


def _http(settings: Settings, app: Any, heard: Heard | None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False) if app else None
    hooks: dict[str, list[Callable[..., Any]]] = {
        "request": [_departs] if app else [],
        "response": [heard] if heard else [],
    }
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(None, connect=min(_CONNECT, settings.timeout)),
        limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
        headers={"User-Agent": f"talonone-mcp/{__version__}", "Accept": "application/json, */*"},
        event_hooks=hooks,
        follow_redirects=False,
    )


async def _departs(request: httpx.Request) -> None:
    """Say for an application in this process what the network says by itself: it is sent now."""
    await request.extensions["trace"]("asgi.send_request_headers.started", {})
