"""One request and its answer. A call takes one of these, or several with retries."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress
from talonone_mcp.core.settings import URL_OF, Settings
from talonone_mcp.core.text import one_line
from talonone_mcp.store.pace import Departure, Endpoint
from talonone_mcp.upstream.answer_body import pour, read_answer, read_error
from talonone_mcp.upstream.http_messages import Answer, Request, Sink
from talonone_mcp.upstream.limiter import Limiter
from talonone_mcp.upstream.pool_admission import PoolAdmission, PoolCounts, pool_counts
from talonone_mcp.upstream.redaction import Redaction
from talonone_mcp.upstream.retries import pause_asked_for
from talonone_mcp.upstream.telemetry import observed
from talonone_mcp.upstream.wire_errors import look_first

_MAX_REASON_CHARS = 300  # of a network error's text


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """What is sent, and for whom. `ends` is when the call must be over, in the clock's seconds."""

    operation: Operation
    request: Request
    ends: float
    progress: Progress
    sink: Sink | None = None


@dataclass(frozen=True, slots=True)
class UpstreamStatistics:
    """What is under way: in the connection pool, and permitted by the limiter."""

    pool: PoolCounts
    open_departures: int


class Exchange:
    """Sends one request when its turn comes, and reads the answer."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, limiter: Limiter, clock: Clock
    ) -> None:
        self._settings = settings
        self._http = http
        self._limiter = limiter
        self._clock = clock
        self._admission = PoolAdmission()

    def statistics(self) -> UpstreamStatistics:
        """Count what is under way at this moment."""
        return UpstreamStatistics(pool_counts(self._http), self._limiter.open_departures)

    async def attempt(
        self, call: OutgoingCall, headers: Mapping[str, str], redaction: Redaction, resends: int
    ) -> Answer:
        """Send a call's request once.

        Args:
            call: what to send.
            headers: the credentials.
            redaction: removes what must not come back.
            resends: how often this call's request was sent before.

        Raises:
            CallError: it did not succeed.
        """
        came = self._clock.monotonic()
        departure = await self._depart(call)
        waited = self._clock.monotonic() - came
        limit = min(self._settings.timeout, call.ends - self._clock.monotonic())
        url = self._settings.url(call.operation.api)
        try:
            with (
                observed(call.operation, url, self._clock, waited=waited, resends=resends) as seen,
                ExitStack() as files,
                self._explained(call, departure, limit, redaction),
            ):
                outgoing = self._outgoing(call, headers, files)
                leaves = partial(self._limiter.leave, departure)
                with anyio.fail_after(limit) as scope:
                    async with self._admission.admitted(outgoing, leaves):
                        answer = await self._answer(call, departure, outgoing, scope, redaction)
                seen.status = answer.status
                return answer
        finally:
            self._limiter.done(departure)

    async def _depart(self, call: OutgoingCall) -> Departure:
        """Wait for the request's turn, for as long as the call may last.

        Raises:
            CallError: `rate_limited`, if its turn did not come.
        """
        operation = call.operation
        deployment = self._settings.url(operation.api)
        endpoint = Endpoint(deployment, f"{operation.method} {operation.path}")
        departure = None
        with anyio.move_on_after(call.ends - self._clock.monotonic()):
            departure = await self._limiter.depart(endpoint, call.progress)
        if departure and self._clock.monotonic() < call.ends:
            return departure
        if departure:
            self._limiter.done(departure)
        raise CallError(
            "rate_limited",
            f"{operation.name} was not sent: its turn did not come within"
            f" {self._settings.deadline:g} s, because too many calls to {endpoint.route} are"
            " waiting.",
            hint="Nothing was sent. Call less often, or ask for more in one call.",
            retryable=True,
        )

    async def _answer(
        self,
        call: OutgoingCall,
        departure: Departure,
        outgoing: httpx.Request,
        scope: anyio.CancelScope,
        redaction: Redaction,
    ) -> Answer:
        operation = call.operation
        response = await self._http.send(outgoing, stream=True)
        try:
            now = self._clock.now()
            pause = pause_asked_for(response.status_code, response.headers, now)
            self._limiter.answered(departure, pause)
            if not response.is_success:
                raise await read_error(operation, response, redaction, now)
            if call.sink and operation.answer == "csv":
                limit = scope, self._settings.timeout
                return await pour(operation, response, redaction, call.sink, limit)
            return await read_answer(operation, response, redaction)
        finally:
            await response.aclose()

    def _outgoing(
        self, call: OutgoingCall, headers: Mapping[str, str], files: ExitStack
    ) -> httpx.Request:
        operation, request = call.operation, call.request
        url = f"{self._settings.url(operation.api)}{request.path}"
        try:
            return self._http.build_request(
                operation.method,
                f"{url}?{request.query}" if request.query else url,
                headers={**headers, **request.headers, **_content_type(request)},
                **_body(request, files),
            )
        except httpx.InvalidURL as error:
            message = f"{operation.name} was not sent: {error}."
            raise CallError("invalid_arguments", message) from None

    @contextmanager
    def _explained(
        self, call: OutgoingCall, departure: Departure, limit: float, redaction: Redaction
    ) -> Iterator[None]:
        """Turn failures of the network into errors that say what became of the request."""
        operation = call.operation
        try:
            yield
        except (httpx.TimeoutException, TimeoutError):
            if not departure.sent:
                raise self._unreachable(operation, "it did not answer in time") from None
            raise _timed_out(operation, self._host(operation), limit) from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            said = one_line(redaction.text(str(error)), _MAX_REASON_CHARS)
            reason = said.removesuffix(".") or type(error).__name__
            if departure.sent:
                raise _broken(operation, reason) from None
            if _untrusted(error):
                raise self._untrusted(operation, reason) from None
            raise self._unreachable(operation, reason) from None

    def _unreachable(self, operation: Operation, reason: str) -> CallError:
        return CallError(
            "unreachable",
            f"{self._host(operation)} could not be reached: {reason}.",
            hint="Nothing was sent. Call again; if it keeps failing, this server's operator should"
            f" check {URL_OF[operation.api]} and the network.",
            retryable=True,
        )

    def _untrusted(self, operation: Operation, reason: str) -> CallError:
        return CallError(
            "unreachable",
            f"{self._host(operation)} could not prove who it is: {reason}.",
            hint="Nothing was sent, and calling again will not help. This server's operator should"
            f" check {URL_OF[operation.api]} and any proxy on the way. If the network has its own"
            " certificate authority, SSL_CERT_FILE names the file with its certificate.",
        )

    def _host(self, operation: Operation) -> str:
        return httpx.URL(self._settings.url(operation.api)).host


def _content_type(request: Request) -> Mapping[str, str]:
    is_json = request.content is not None and not request.form_field
    return {"Content-Type": "application/json"} if is_json else {}


def _body(request: Request, files: ExitStack) -> dict[str, Any]:
    """Return the body as httpx takes it. A file is read in pieces while it is sent.

    Raises:
        CallError: `invalid_arguments`, if the file cannot be read.
    """
    content = request.content
    if content is None:
        return {}
    if request.form_field is None:
        return {"content": content}
    if isinstance(content, Path):
        return {"files": {request.form_field: ("import.csv", _opened(content, files), "text/csv")}}
    return {"files": {request.form_field: ("import.csv", content, "text/csv")}}


def _opened(path: Path, files: ExitStack) -> Any:
    try:
        return files.enter_context(path.open("rb"))
    except OSError as error:
        raise CallError(
            "invalid_arguments", f"{path.name} could not be read: {error.strerror}."
        ) from None


def _timed_out(operation: Operation, host: str, limit: float) -> CallError:
    message = f"{host} did not answer {operation.name} in {limit:.3g} s."
    if operation.risk != "read":
        return CallError("outcome_unknown", message, hint=look_first(operation))
    hint = (
        "Ask for less (pageSize, filters). This server's operator can allow more time with"
        " TALONONE_TIMEOUT."
    )
    return CallError("timeout", message, hint=hint, retryable=True)


def _broken(operation: Operation, reason: str) -> CallError:
    message = f"The connection broke before {operation.name} was fully answered: {reason}."
    if operation.risk != "read":
        return CallError("outcome_unknown", message, hint=look_first(operation))
    return CallError("unreachable", message, hint="Call again.", retryable=True)


def _untrusted(error: BaseException | None) -> bool:
    """Return whether a certificate was refused, which no retry changes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
