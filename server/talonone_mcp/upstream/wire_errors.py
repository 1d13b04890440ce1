"""Turns an answer of upstream that is no success into a `CallError` that says what to do next."""

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
_GATEWAY_GAVE_UP = (502, 504)  # something in between lost patience; the request may have arrived
_REDIRECTS = range(300, 400)
_NOT_IMPLEMENTED = 501
_HOST = 200  # characters of the place to which a redirect leads


def refused(
    operation: Operation, status: int, body: str, *, leads_to: str = "", after: float | None = None
) -> CallError:
    """Map an answer of upstream that is no success.

    Args:
        operation: what was called.
        status: the HTTP status.
        body: what came with it, or the beginning of that.
        leads_to: the host to which a redirect points.
        after: seconds after which upstream wants to be asked again, when it says so.
    """
    said = error_documents.read(body)
    kind = _kind(operation, status)
    message = said.message or f"Talon.One answered {operation.name} with status {status}."
    if leads_to:
        leads_to = one_line(leads_to, _HOST)
        message = f"Talon.One answered {operation.name} with a redirect to {leads_to}."
    return CallError(
        kind,
        message,
        status=status,
        details=said.details,
        hint=_hint(kind, operation, status, after),
        retryable=kind == "rate_limited" or (kind == "upstream" and _passing(operation, status)),
        after=after,
    )


def unreadable(operation: Operation, status: int, what: str) -> CallError:
    """Say that upstream reported success in a form that cannot be read."""
    message = f"Talon.One answered {operation.name} with status {status}, but {what}."
    if operation.risk == "read":
        hint = f"Check that {URL_OF[operation.api]} is the API itself and not a page before it."
        return CallError("upstream", message, status=status, hint=hint, retryable=True)
    return CallError("outcome_unknown", message, status=status, hint=look_first(operation))


def look_first(tool: Tool) -> str:
    """Return the advice for a write whose outcome is unknown: which read tells."""
    told_by = f"{tool.check} has told" if tool.check else "you know: no read tells"
    return f"It may have been done. Do not repeat it before {told_by}."


def _kind(operation: Operation, status: int) -> Kind:
    if operation.risk != "read" and status in _GATEWAY_GAVE_UP:
        return "outcome_unknown"
    return _KIND_OF_STATUS.get(status, "upstream")


def _passing(operation: Operation, status: int) -> bool:
    """Whether a read that failed in this way may succeed without any change."""
    lasting = status == _NOT_IMPLEMENTED or status in _REDIRECTS
    return operation.risk == "read" and not lasting


def _hint(kind: Kind, operation: Operation, status: int, after: float | None) -> str:
    credentials, url = CREDENTIALS_OF[operation.api], URL_OF[operation.api]
    if status in _REDIRECTS:
        return f"Check {url}: it redirects, and a key must not follow to another host."
    if status == _NOT_IMPLEMENTED:
        return "This deployment does not offer the operation; calling it again will not help."
    if kind in ("outcome_unknown", "upstream") and operation.risk != "read":
        return look_first(operation)
    lists = ", ".join(dict.fromkeys((operation.listed_by or {}).values()))
    hints: dict[Kind, str] = {
        "not_found": f"To see what there is: {lists}."
        if lists
        else f"Check the arguments, and that {url} is the right deployment.",
        "rate_limited": f"Call again after {1 if after is None else after:.0f} s.",
        "unauthorized": f"What {credentials} holds was refused: complete, not expired,"
        " of this deployment?",
        "forbidden": f"What {credentials} holds may not use this endpoint; an administrator can"
        " allow it.",
        "conflict": "Read what is there now before trying again.",
        "upstream": "Try again later.",
    }
    return hints.get(kind, "")
