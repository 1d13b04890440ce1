"""Sends one request and reads its answer, over the one HTTP client of the process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import httpx

from talonone_mcp import __version__
from talonone_mcp.catalog import Operation
from talonone_mcp.client import auth
from talonone_mcp.client.errors import CallError, look_first, refused, unreadable
from talonone_mcp.client.limiter import Departure, Limiter
from talonone_mcp.client.session import Session
from talonone_mcp.settings import URL_OF, Settings
from talonone_mcp.text import one_line

_CONNECT = 10.0  # seconds to reach the deployment, within the limit for the whole request
_REASON = 300  # characters of a network error's text that are passed on
_REDACTED = "[secret]"
_SESSIONS = "/v1/sessions"  # upstream's endpoint: POST opens a session, DELETE ends it


@dataclass(frozen=True, slots=True)
class Request:
    """One upstream request, without what the client adds: base URL and authentication.

    `path` and `query` are percent-encoded. `content` is the body with its type: JSON text, or,
    with `form_field`, the content of the file in that field of a form. `secrets` are values in it
    that must not come back in an answer or an error.
    """

    path: str
    query: str = ""
    content: str | None = None
    form_field: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: the status, and what the body holds (a JSON value, CSV text, or nothing)."""

    status: int
    body: Any = None


class Client:
    """Upstream, as the executor sees it."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, limiter: Limiter, login: Operation
    ) -> None:
        self._settings = settings
        self._login = login
        self._http = http
        self._limiter = limiter
        self._session = Session()

    def check(self, operation: Operation) -> None:
        """Return when there is what the operation's API asks for.

        Raises:
            CallError: `not_configured`; `not_found`, when a session is to end and none is open.
        """
        auth.check(operation, self._settings)
        if operation.path == _SESSIONS and operation.method == "DELETE" and not self._session.token:
            raise CallError(
                "not_found", "This server has no session open, so there is none to end."
            )
        if operation.body and operation.body.credentials:
            auth.credentials(self._settings)

    def deployment(self, operation: Operation) -> str:
        """Return where an operation is sent, as a person knows it."""
        return self._settings.url(operation.api)

    async def send(self, operation: Operation, request: Request) -> Answer:
        """Send one request and return its answer.

        Raises:
            CallError: whatever keeps it from being a success.
        """
        if operation.body and operation.body.credentials:
            document = json.dumps(auth.credentials(self._settings))
            answer = await self._exchange(operation, replace(request, content=document), {})
            return replace(answer, body=self._session.keep(answer.body))
        if operation.api == "management" and operation.path == _SESSIONS:
            return await self._end_session(operation, request)
        if operation.api == "management" and not self._settings.management_key:
            return await self._in_session(operation, request)
        headers = auth.headers(operation, self._settings)
        return await self._exchange(operation, request, headers)

    async def _end_session(self, operation: Operation, request: Request) -> Answer:
        token = self._session.token
        headers = auth.headers(operation, self._settings, token)
        try:
            return await self._exchange(operation, request, headers)
        finally:  # whatever came of it, the next call logs in anew
            self._session.forget(token)

    async def _in_session(self, operation: Operation, request: Request) -> Answer:
        """Send with the session's token, and once more with a new one if it was refused."""
        token = await self._token()
        try:
            headers = auth.headers(operation, self._settings, token)
            return await self._exchange(operation, request, headers)
        except CallError as error:
            if error.kind != "unauthorized":
                raise
        self._session.forget(token)
        headers = auth.headers(operation, self._settings, await self._token())
        return await self._exchange(operation, request, headers)

    async def _token(self) -> str:
        return await self._session.opened(lambda: self.send(self._login, Request(_SESSIONS)))

    async def _exchange(
        self, operation: Operation, request: Request, headers: dict[str, str]
    ) -> Answer:
        departure = await self._limiter.depart(f"{operation.method} {operation.path}")
        outgoing = self._outgoing(operation, request, headers | dict(request.headers), departure)
        try:
            with anyio.fail_after(self._settings.timeout):
                response = await self._http.send(outgoing)
        except (httpx.TimeoutException, TimeoutError):
            raise self._timed_out(operation, departure) from None
        except httpx.HTTPError as error:
            raise self._broken(operation, departure, error) from None
        return self._read(operation, response, self._secrets + request.secrets)

    def _outgoing(
        self, operation: Operation, request: Request, headers: dict[str, str], departure: Departure
    ) -> httpx.Request:
        async def trace(event: str, _: object) -> None:
            if event.endswith("send_request_headers.started"):
                self._limiter.leave(departure)

        url = f"{self._settings.url(operation.api)}{request.path}"
        body: dict[str, Any] = {}
        if request.form_field and request.content is not None:
            body["files"] = {request.form_field: ("import.csv", request.content, "text/csv")}
        elif request.content is not None:
            body["content"] = request.content
            headers["Content-Type"] = "application/json"
        return self._http.build_request(
            operation.method,
            f"{url}?{request.query}" if request.query else url,
            headers=headers,
            extensions={"trace": trace},
            **body,
        )

    def _timed_out(self, operation: Operation, departure: Departure) -> CallError:
        if not departure.sent:
            return self._unreachable(operation, "it did not answer in time")
        seconds = f"{self._settings.timeout:g} s"
        message = f"{self._host(operation)} did not answer {operation.name} in {seconds}."
        if operation.risk != "read":
            return CallError("outcome_unknown", message, hint=look_first(operation))
        hint = "Ask for less (pageSize, filters), or set a larger TALONONE_TIMEOUT."
        return CallError("timeout", message, hint=hint, retryable=True)

    def _broken(
        self, operation: Operation, departure: Departure, error: httpx.HTTPError
    ) -> CallError:
        said = one_line(_redacted(str(error), self._secrets), _REASON)
        reason = said.removesuffix(".") or type(error).__name__
        if not departure.sent:
            return self._unreachable(operation, reason)
        message = f"The connection broke before the whole answer to {operation.name}: {reason}."
        if operation.risk != "read":
            return CallError("outcome_unknown", message, hint=look_first(operation))
        return CallError("unreachable", message, hint="Call again.", retryable=True)

    def _unreachable(self, operation: Operation, reason: str) -> CallError:
        url = URL_OF[operation.api]
        return CallError(
            "unreachable",
            f"{self._host(operation)} could not be reached: {reason}.",
            hint=f"Nothing was sent. Check {url} and the network, then call again.",
            retryable=True,
        )

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (*self._settings.secrets, *filter(None, [self._session.token]))

    def _host(self, operation: Operation) -> str:
        return httpx.URL(self._settings.url(operation.api)).host

    def _read(
        self, operation: Operation, response: httpx.Response, secrets: Sequence[str]
    ) -> Answer:
        body = _redacted(response.content.decode("utf-8-sig", "replace"), secrets)
        if not response.is_success:
            raise refused(operation, response.status_code, response.headers, body)
        if not body:
            return Answer(response.status_code)
        kind = response.headers.get("content-type", "no content type").partition(";")[0]
        if operation.answer == "csv":
            if "csv" not in kind and "text/plain" not in kind:
                raise unreadable(operation, response.status_code, f"with {kind}, not CSV")
            return Answer(response.status_code, body)
        try:
            return Answer(response.status_code, json.loads(body, parse_constant=_refuse_constant))
        except (ValueError, RecursionError):
            what = f"its {len(response.content)} bytes of {one_line(kind, 80)} are no whole JSON"
            raise unreadable(operation, response.status_code, what) from None


def _redacted(text: str, secrets: Sequence[str]) -> str:
    """Take secrets out of a text, also where JSON, or JSON in JSON, writes them with escapes."""
    for secret in filter(None, secrets):
        forms = {secret}
        for _ in range(2):
            forms |= {json.dumps(f, ensure_ascii=a)[1:-1] for f in forms for a in (True, False)}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, _REDACTED)
    return text


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


@asynccontextmanager
async def open_client(
    settings: Settings, login: Operation, app: Any = None
) -> AsyncIterator[Client]:
    """Open the process's one HTTP client.

    Args:
        settings: where to send, with which keys.
        login: the operation that opens a session, for an account without a Management key.
        app: an ASGI application that answers in place of the network, as the sandbox does.
    """
    transport = httpx.ASGITransport(app, raise_app_exceptions=False) if app else None
    async with httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(None, connect=min(_CONNECT, settings.timeout)),
        headers={"User-Agent": f"talonone-mcp/{__version__}", "Accept": "application/json, */*"},
        follow_redirects=False,
    ) as http:
        yield Client(settings, http, Limiter(), login)
