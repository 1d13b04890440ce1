"""Sends one request and reads its answer, over the one HTTP client of the process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from talonone_mcp import __version__
from talonone_mcp.catalog import Operation
from talonone_mcp.client import auth
from talonone_mcp.client.errors import CallError, look_first, refused, unreadable
from talonone_mcp.client.limiter import Departure, Limiter
from talonone_mcp.settings import Settings
from talonone_mcp.text import one_line

_CONNECT = 10.0  # seconds to reach the deployment, within the limit for the whole request
_REASON = 300  # characters of a network error's text that are passed on
_REDACTED = "[secret]"


@dataclass(frozen=True, slots=True)
class Request:
    """One upstream request, without what the client adds: base URL and authentication.

    `path` and `query` are percent-encoded. `content` is the body with its type: JSON text, or,
    with `field`, the content of the file in that field of a form.
    """

    path: str
    query: str = ""
    content: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: the status, and what the body holds (a JSON value, CSV text, or nothing)."""

    status: int
    body: Any = None


class Client:
    """Upstream, as the executor sees it."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient, limiter: Limiter) -> None:
        self._settings = settings
        self._http = http
        self._limiter = limiter
        keys = filter(None, map(settings.key, settings.apis))
        self._secrets = [key.get_secret_value() for key in keys]

    def check(self, operation: Operation) -> None:
        """Raise `not_configured` if there is no key for the operation's API.

        Raises:
            CallError: `not_configured`.
        """
        auth.headers(operation, self._settings)

    async def send(self, operation: Operation, request: Request) -> Answer:
        """Send one request and return its answer.

        Raises:
            CallError: whatever keeps it from being a success.
        """
        headers = auth.headers(operation, self._settings)
        departure = await self._limiter.depart(f"{operation.method} {operation.path}")
        outgoing = self._outgoing(operation, request, headers, departure)
        try:
            with anyio.fail_after(self._settings.timeout):
                response = await self._http.send(outgoing)
        except (httpx.TimeoutException, TimeoutError):
            raise self._timed_out(operation, departure) from None
        except httpx.HTTPError as error:
            raise self._broken(operation, departure, error) from None
        return self._read(operation, response)

    def _outgoing(
        self, operation: Operation, request: Request, headers: dict[str, str], departure: Departure
    ) -> httpx.Request:
        async def trace(event: str, _: object) -> None:
            if event.endswith("send_request_headers.started"):
                self._limiter.leave(departure)

        url = f"{self._settings.base_url}{request.path}"
        body: dict[str, Any] = {}
        if request.field and request.content is not None:
            body["files"] = {request.field: ("import.csv", request.content, "text/csv")}
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
            return self._unreachable("it did not answer in time")
        message = f"{self._host} did not answer {operation.name} in {self._settings.timeout:g} s."
        if operation.risk != "read":
            return CallError("outcome_unknown", message, hint=look_first(operation))
        hint = "Ask for less (pageSize, filters), or set a larger TALONONE_TIMEOUT."
        return CallError("timeout", message, hint=hint, retryable=True)

    def _broken(
        self, operation: Operation, departure: Departure, error: httpx.HTTPError
    ) -> CallError:
        said = one_line(self._redacted(str(error)), _REASON)
        reason = said.removesuffix(".") or type(error).__name__
        if not departure.sent:
            return self._unreachable(reason)
        message = f"The connection broke before the whole answer to {operation.name}: {reason}."
        if operation.risk != "read":
            return CallError("outcome_unknown", message, hint=look_first(operation))
        return CallError("unreachable", message, hint="Call again.", retryable=True)

    def _unreachable(self, reason: str) -> CallError:
        return CallError(
            "unreachable",
            f"{self._host} could not be reached: {reason}.",
            hint="Nothing was sent. Check TALONONE_BASE_URL and the network, then call again.",
            retryable=True,
        )

    @property
    def _host(self) -> str:
        return httpx.URL(self._settings.base_url or "").host

    def _read(self, operation: Operation, response: httpx.Response) -> Answer:
        body = self._redacted(response.content.decode("utf-8-sig", "replace"))
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

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        return text


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


@asynccontextmanager
async def open_client(settings: Settings, app: Any = None) -> AsyncIterator[Client]:
    """Open the process's one HTTP client.

    Args:
        settings: where to send, with which keys.
        app: an ASGI application that answers in place of the network, as the sandbox does.
    """
    transport = httpx.ASGITransport(app, raise_app_exceptions=False) if app else None
    async with httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(None, connect=min(_CONNECT, settings.timeout)),
        headers={"User-Agent": f"talonone-mcp/{__version__}", "Accept": "application/json, */*"},
        follow_redirects=False,
    ) as http:
        yield Client(settings, http, Limiter())
