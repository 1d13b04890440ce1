"""Reports every request to upstream to OpenTelemetry, if the process has set it up.

Each span lies within the one that the MCP SDK opens for `tools/call`. Without an OpenTelemetry SDK
and an exporter, nothing is collected and this costs next to nothing. Reports are about requests and
never about people: they have the template of a path, not the path, and no arguments. Names follow
https://opentelemetry.io/docs/specs/semconv/http/; ours begin with `talonone.`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.metrics import get_meter
from opentelemetry.trace import SpanKind, StatusCode, get_tracer
from opentelemetry.util.types import AttributeValue

from talonone_mcp import __version__
from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.errors import CallError

Attributes = dict[str, AttributeValue]

_SCOPE = "talonone-mcp"
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_STATUS, _ERROR = "http.response.status_code", "error.type"
_FIRST_ERROR_STATUS, _TOO_MANY_REQUESTS = 400, 429
_SHORTEST_WAIT_S = 0.001  # anything shorter is no wait

_tracer = get_tracer(_SCOPE, __version__)
_meter = get_meter(_SCOPE, __version__)
_duration = _meter.create_histogram(
    "http.client.request.duration",
    "s",
    "From when a request's turn came to the end of its answer.",
    explicit_bucket_boundaries_advisory=_BUCKETS_S,
)
_waits = _meter.create_histogram(
    "talonone.client.wait.duration",
    "s",
    "Waits for the pace that upstream allows.",
    explicit_bucket_boundaries_advisory=_BUCKETS_S,
)
_retries = _meter.create_counter(
    "talonone.client.retries", "{request}", "Requests sent again after a failure."
)
_limited = _meter.create_counter(
    "talonone.client.rate_limited", "{response}", "Requests that upstream refused with 429."
)


@dataclass(slots=True)
class Observation:
    """What becomes known about a request while it runs."""

    status: int | None = None


@contextmanager
def observed(
    operation: Operation, base_url: str, clock: Clock, *, waited: float, resends: int
) -> Iterator[Observation]:
    """Observe one request, from when its turn came to the end of its answer.

    Args:
        operation: what is called.
        base_url: where.
        clock: measures how long it takes.
        waited: seconds until its turn came.
        resends: how often the same call was sent before.
    """
    common = _common(operation, base_url)
    _count_before(common, waited, resends)
    began = clock.monotonic()
    seen, outcome = Observation(), Attributes()
    with _tracer.start_as_current_span(
        f"{operation.method} {operation.path}",
        kind=SpanKind.CLIENT,
        attributes=common | _of_span(operation, waited, resends),
        record_exception=False,  # its message may quote an argument
        set_status_on_exception=False,
    ) as span:
        try:
            yield seen
            outcome = _status(seen.status)
        except BaseException as error:
            outcome = _failure(error)
            span.set_status(StatusCode.ERROR)
            raise
        finally:
            span.set_attributes(outcome)
            _duration.record(clock.monotonic() - began, common | outcome)
            if outcome.get(_STATUS) == _TOO_MANY_REQUESTS:
                _limited.add(1, common)


def _common(operation: Operation, base_url: str) -> Attributes:
    server = urlsplit(base_url)
    return {
        "http.request.method": operation.method,
        "url.template": operation.path,
        "server.address": server.hostname or "",
        "server.port": server.port or (80 if server.scheme == "http" else 443),
    }


def _of_span(operation: Operation, waited: float, resends: int) -> Attributes:
    resent: Attributes = {"http.request.resend_count": resends} if resends else {}
    return resent | {
        "talonone.operation": operation.name,
        "talonone.wait_ms": round(waited * 1000),
    }


def _status(status: int | None) -> Attributes:
    return {} if status is None else {_STATUS: status}


def _failure(error: BaseException) -> Attributes:
    """Say what went wrong: upstream's status, or else the kind of the error."""
    if not isinstance(error, CallError):
        return {_ERROR: type(error).__name__}
    refused = error.status is not None and error.status >= _FIRST_ERROR_STATUS
    return _status(error.status) | {_ERROR: str(error.status) if refused else error.kind}


def _count_before(common: Attributes, waited: float, resends: int) -> None:
    if waited > _SHORTEST_WAIT_S:
        _waits.record(waited, common)
    if resends:
        _retries.add(1, common)
