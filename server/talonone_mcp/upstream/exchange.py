"""One request and its answer: every call is one or several of these."""

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
from talonone_mcp.upstream.answer_body import pour, read_answer, read_error
from talonone_mcp.upstream.limiter import Departure, Pacer
from talonone_mcp.upstream.messages import Answer, Request, Sink
from talonone_mcp.upstream.pool_entrance import Entrance
from talonone_mcp.upstream.redaction import Redaction
from talonone_mcp.upstream.retries import refused_for
from talonone_mcp.upstream.telemetry import observed
from talonone_mcp.upstream.wire_errors import look_first

_REASON = 300  # characters of a network error's text that are passed on


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent, and for whom; `ends` is when the call must be over, by the client's clock."""

    operation: Operation
    request: Request
    ends: float
    progress: Progress
    sink: Sink | None = None


class Exchange:
    """Sends one request at its time and reads the answer."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, pacer: Pacer, clock: Clock
    ) -> None:
        self._settings = settings
        self._http = http
        self._pacer = pacer
        self._clock = clock
        self._entrance = Entrance()

    async def attempt(
        self, call: Call, headers: Mapping[str, str], redaction: Redaction, resends: int
    ) -> Answer:
        """Send a call's request once.

        Args:
            call: what to send.
            headers: those that allow it upstream.
            redaction: what must not come back.
            resends: how often this call's request was sent before.

        Raises:
            CallError: whatever keeps it from being a success.
        """
        came = self._clock.monotonic()
        departure = await self._depart(call)
        waited = self._clock.monotonic() - came
        limit = min(self._settings.timeout, call.ends - self._clock.monotonic())
        url = self._settings.url(call.operation.api)
        try:
            with (
                observed(call.operation, url, waited=waited, resends=resends) as seen,
                ExitStack() as files,
                self._explained(call, departure, limit, redaction),
            ):
                outgoing = self._outgoing(call, headers, files)
                leaves = partial(self._pacer.leave, departure)
                with anyio.fail_after(limit) as scope:
                    async with self._entrance.passing(outgoing, leaves):
                        answer = await self._answer(call, departure, outgoing, scope, redaction)
                seen.status = answer.status
                return answer
        finally:
            self._pacer.done(departure)

    async def _depart(self, call: Call) -> Departure:
        """Wait for the turn of the request, as long as the call may last.

        Raises:
            CallError: `rate_limited`, when its turn did not come.
        """
        operation = call.operation
        deployment = self._settings.url(operation.api)
        endpoint = f"{operation.method} {operation.path}"
        departure = None
        with anyio.move_on_after(call.ends - self._clock.monotonic()):
            departure = await self._pacer.depart(deployment, endpoint, call.progress)
        if departure and self._clock.monotonic() < call.ends:
            return departure
        if departure:
            self._pacer.done(departure)
        raise CallError(
            "rate_limited",
            f"{operation.name} was not sent: its turn did not come within"
            f" {self._settings.deadline:g} s. {endpoint} takes no more calls than that.",
            hint="Call less often, or ask for more at once. Nothing was sent.",
            retryable=True,
        )

    async def _answer(
        self,
        call: Call,
        departure: Departure,
        outgoing: httpx.Request,
        scope: anyio.CancelScope,
        redaction: Redaction,
    ) -> Answer:
        operation = call.operation
        response = await self._http.send(outgoing, stream=True)
        try:
            pause = refused_for(response.status_code, response.headers)
            self._pacer.answered(departure, pause)
            if not response.is_success:
                raise await read_error(operation, response, redaction)
            if call.sink and operation.answer == "csv":
                limit = scope, self._settings.timeout
                return await pour(operation, response, redaction, call.sink, limit)
            return await read_answer(operation, response, redaction)
        finally:
            await response.aclose()

    def _outgoing(self, call: Call, headers: Mapping[str, str], files: ExitStack) -> httpx.Request:
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
        self, call: Call, departure: Departure, limit: float, redaction: Redaction
    ) -> Iterator[None]:
        """Turn what the network does into errors that say what became of the request."""
        operation = call.operation
        try:
            yield
        except (httpx.TimeoutException, TimeoutError):
            if not departure.sent:
                raise self._unreachable(operation, "it did not answer in time") from None
            raise _timed_out(operation, self._host(operation), limit) from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            said = one_line(redaction.text(str(error)), _REASON)
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
            hint=f"Nothing was sent. Check {URL_OF[operation.api]} and the network, then call"
            " again.",
            retryable=True,
        )

    def _untrusted(self, operation: Operation, reason: str) -> CallError:
        return CallError(
            "unreachable",
            f"{self._host(operation)} could not prove who it is: {reason}.",
            hint=f"Nothing was sent. Check {URL_OF[operation.api]}, and who is between here and"
            " there; a certificate authority of one's own stands in the file that SSL_CERT_FILE"
            " names.",
        )

    def _host(self, operation: Operation) -> str:
        return httpx.URL(self._settings.url(operation.api)).host


def _content_type(request: Request) -> Mapping[str, str]:
    is_json = request.content is not None and not request.form_field
    return {"Content-Type": "application/json"} if is_json else {}


def _body(request: Request, files: ExitStack) -> dict[str, Any]:
    """Return the body as httpx takes it. A file is read in pieces while it is sent.

    Raises:
        CallError: `invalid_arguments`, when the file cannot be read.
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
    hint = "Ask for less (pageSize, filters), or set a larger TALONONE_TIMEOUT."
    return CallError("timeout", message, hint=hint, retryable=True)


def _broken(operation: Operation, reason: str) -> CallError:
    message = f"The connection broke before the whole answer to {operation.name}: {reason}."
    if operation.risk != "read":
        return CallError("outcome_unknown", message, hint=look_first(operation))
    return CallError("unreachable", message, hint="Call again.", retryable=True)


def _untrusted(error: BaseException | None) -> bool:
    """Whether a certificate was refused: that stays so, however often one tries."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
