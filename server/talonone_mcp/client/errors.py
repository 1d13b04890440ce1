"""What can go wrong with a call, said so that an agent knows what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from talonone_mcp.catalog import Operation
from talonone_mcp.settings import CREDENTIALS_OF, URL_OF
from talonone_mcp.text import one_line

Kind = Literal[
    "invalid_arguments",
    "unauthorized",
    "forbidden",
    "not_found",
    "conflict",
    "rate_limited",
    "upstream",
    "unreachable",
    "timeout",
    "outcome_unknown",
    "approval_required",
    "declined",
    "blocked",
    "not_configured",
]

_KIND_OF_STATUS: Mapping[int, Kind] = {
    400: "invalid_arguments",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "invalid_arguments",
    429: "rate_limited",
}
_GATEWAY_GAVE_UP = (502, 504)  # something in between lost patience; the request may have arrived
_REDIRECTS = range(300, 400)
_NOT_IMPLEMENTED = 501
_MESSAGE = 500  # characters of upstream's prose that are passed on
_DETAILS = 20


class CallError(Exception):
    """A call that did not succeed, in the form in which a client receives it.

    Attributes:
        kind: the class of the error, from a fixed set.
        message: what happened.
        status: upstream's HTTP status, when it answered.
        details: single problems, each with `at` (where) and `problem` (what).
        hint: what to do next.
        approval: the approval to wait for: its id, the command that gives it, when it expires.
        retryable: whether the same call may succeed later without any change.
    """

    def __init__(  # noqa: PLR0913 - the parts of one answer
        self,
        kind: Kind,
        message: str,
        *,
        status: int | None = None,
        details: Sequence[Mapping[str, str]] = (),
        hint: str = "",
        retryable: bool = False,
        approval: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.details = details
        self.hint = hint
        self.retryable = retryable
        self.approval = approval

    def as_dict(self) -> dict[str, Any]:
        """Return the error as it goes to the client; empty parts stay out."""
        parts = {
            "kind": self.kind,
            "status": self.status,
            "message": self.message,
            "details": list(self.details),
            "hint": self.hint,
            "approval": self.approval,
            "retryable": self.retryable,
        }
        return {"error": {key: part for key, part in parts.items() if part not in (None, [], "")}}


def refused(operation: Operation, status: int, headers: Mapping[str, str], body: str) -> CallError:
    """Map an answer of upstream that is no success.

    Understands upstream's own error documents (`message` and `errors`), those of the Third-party
    API (`Error`), RFC 9457 problem documents, and anything else by its status.
    """
    document = _document(body)
    kind = _kind(operation, status)
    said = (document.get(key) for key in ("message", "Error", "detail", "title"))
    message = next((text for text in said if isinstance(text, str) and text), "")
    return CallError(
        kind,
        one_line(message, _MESSAGE) or f"Talon.One answered {operation.name} with status {status}.",
        status=status,
        details=list(_details(document))[:_DETAILS],
        hint=_hint(kind, operation, status, headers),
        retryable=kind == "rate_limited"
        or (kind == "upstream" and operation.risk == "read" and status != _NOT_IMPLEMENTED),
    )


def unreadable(operation: Operation, status: int, what: str) -> CallError:
    """Say that upstream reported success in a form that cannot be read."""
    message = f"Talon.One answered {operation.name} with status {status}, but {what}."
    if operation.risk == "read":
        hint = f"Check that {URL_OF[operation.api]} is the API itself and not a page before it."
        return CallError("upstream", message, status=status, hint=hint, retryable=True)
    return CallError("outcome_unknown", message, status=status, hint=look_first(operation))


def look_first(operation: Operation) -> str:
    """Return the advice for a write whose outcome is unknown: which read tells."""
    told_by = f"{operation.check} has told" if operation.check else "you know: no read tells"
    return f"It may have been done. Do not repeat it before {told_by}."


def _kind(operation: Operation, status: int) -> Kind:
    if operation.risk != "read" and status in _GATEWAY_GAVE_UP:
        return "outcome_unknown"
    return _KIND_OF_STATUS.get(status, "upstream")


def _document(body: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _details(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    errors = document.get("errors")
    for error in errors if isinstance(errors, list) else ():
        if not isinstance(error, dict):
            continue
        source = error.get("source")
        places = source.values() if isinstance(source, dict) else ()
        at = next((str(place) for place in places if place), "")
        problem = ": ".join(str(error[key]) for key in ("title", "details") if error.get(key))
        detail = {"at": one_line(at, _MESSAGE), "problem": one_line(problem, _MESSAGE)}
        yield {key: value for key, value in detail.items() if value}


def _hint(kind: Kind, operation: Operation, status: int, headers: Mapping[str, str]) -> str:
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
        "rate_limited": f"Call again after {one_line(headers.get('retry-after', '1'), 40)} s.",
        "unauthorized": f"What {credentials} holds was refused: complete, not expired,"
        " of this deployment?",
        "forbidden": f"What {credentials} holds may not use this endpoint; an administrator can"
        " allow it.",
        "conflict": "Read what is there now before trying again.",
        "upstream": "Try again later.",
    }
    return hints.get(kind, "")
