"""Turns error answers of upstream into a `CallError` that says what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.core.catalog import Operation, Tool
from talonone_mcp.core.errors import CallError, Kind
from talonone_mcp.core.settings import CREDENTIALS_OF, URL_OF
from talonone_mcp.core.text import one_line
from talonone_mcp.upstream import error_documents

_KIND_OF_STATUS: Mapping[int, Kind] = {
    400: "invalid_arguments",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    410: "not_found",
    412: "conflict",
    413: "invalid_arguments",
    415: "invalid_arguments",
    422: "invalid_arguments",
    429: "rate_limited",
}
_GATEWAY_GAVE_UP = (502, 504)  # the request may have arrived
_REDIRECTS = range(300, 400)
_NOT_IMPLEMENTED = 501
_MAX_HOST_CHARS = 200  # of the place to which a redirect leads


def refused(
    operation: Operation, status: int, body: str, *, leads_to: str = "", after: float | None = None
) -> CallError:
    """Return the error that an answer of upstream stands for.

    Args:
        operation: what was called.
        status: the HTTP status.
        body: what came with it, or its beginning.
        leads_to: the host to which a redirect points.
        after: seconds after which upstream wants to be asked again, if it says so.
    """
    document = error_documents.parse(body)
    kind = _kind(operation, status)
    message = document.message or f"Talon.One answered {operation.name} with status {status}."
    if leads_to:
        leads_to = one_line(leads_to, _MAX_HOST_CHARS)
        message = f"Talon.One answered {operation.name} with a redirect to {leads_to}."
    return CallError(
        kind,
        message,
        status=status,
        details=document.details,
        hint=_hint(kind, operation, status, after),
        retryable=kind == "rate_limited" or (kind == "upstream" and _passing(operation, status)),
        after=after,
    )


def unreadable(operation: Operation, status: int, what: str) -> CallError:
    """Return the error of an answer that reports success but cannot be read."""
    message = f"Talon.One answered {operation.name} with status {status}, but {what}."
    if operation.risk == "read":
        hint = (
            f"This server's operator should check that {URL_OF[operation.api]} is the API itself,"
            " not a sign-in page before it."
        )
        return CallError("upstream", message, status=status, hint=hint, retryable=True)
    return CallError("outcome_unknown", message, status=status, hint=look_first(operation))


def look_first(tool: Tool) -> str:
    """Return the advice for a write whose outcome is unknown: which read tells it."""
    if tool.check:
        return f"It may have been done. Do not repeat it before {tool.check} has told."
    return "It may have been done, and no read can tell. Do not repeat it before you know."


def _kind(operation: Operation, status: int) -> Kind:
    if operation.risk != "read" and status in _GATEWAY_GAVE_UP:
        return "outcome_unknown"
    return _KIND_OF_STATUS.get(status, "upstream")


def _passing(operation: Operation, status: int) -> bool:
    """Return whether a read that failed in this way may succeed later without any change."""
    lasting = status == _NOT_IMPLEMENTED or status in _REDIRECTS
    return operation.risk == "read" and not lasting


def _hint(kind: Kind, operation: Operation, status: int, after: float | None) -> str:
    credentials, url = CREDENTIALS_OF[operation.api], URL_OF[operation.api]
    if status in _REDIRECTS:
        return f"This server's operator should check {url}: it redirects, and keys go nowhere else."
    if status == _NOT_IMPLEMENTED:
        return "This deployment does not offer the operation; calling it again will not help."
    if kind in ("outcome_unknown", "upstream") and operation.risk != "read":
        return look_first(operation)
    lists = ", ".join(dict.fromkeys((operation.listed_by or {}).values()))
    hints: dict[Kind, str] = {
        "not_found": f"To see what there is: {lists}."
        if lists
        else f"Check the arguments. Is {url} the right deployment?",
        "rate_limited": f"Call again after {1 if after is None else after:.0f} s.",
        "unauthorized": f"{credentials} was refused. This server's operator should check that it is"
        " complete, not expired, and of this deployment.",
        "forbidden": f"{credentials} may not use this endpoint. An administrator can allow it.",
        "conflict": "Read the present state before trying again.",
        "upstream": "Try again later.",
    }
    return hints.get(kind, "")
