"""The access log: what was sent to each Application's Integration API, refusals included."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from talonone_mcp.sandbox.documents.conditions import (
    Condition,
    Where,
    column,
    contains,
    either,
    equal,
    matches,
    within,
)
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.limits import SandboxLimits
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.logs.retention import keep_entry

_MOST_TEXT = 4_000  # bytes of a payload that are kept


def record_access(  # noqa: PLR0913, PLR0917 - what an entry is made of
    store: DocumentStore,
    application: int,
    at: datetime,
    request: Request,
    response: Response,
    limits: SandboxLimits,
) -> None:
    """Log a request to an Application, and its answer."""
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    entry = {
        "applicationId": application,
        "uuid": str(uuid4()),
        "status": response.status_code,
        "method": request.method,
        "requestUri": f"{path}?{query}" if query else path,
        "time": stamp(at),
        "requestPayload": _text(getattr(request.state, "payload", b"")),
        "responsePayload": _text(getattr(response, "body", b"")),
    }
    keep_entry(store, "access_logs", entry, limits)


def erase(store: DocumentStore, customer: str) -> None:
    """Remove the entries that mention a customer's integration id."""
    quoted = json.dumps(customer)
    spoken_of = either(
        contains("requestUri", f"/{quote(customer, safe='')}"),
        contains("requestPayload", quoted),
        contains("responsePayload", quoted),
    )
    store.delete_where("access_logs", spoken_of)


def _text(payload: bytes) -> str:
    text = payload[:_MOST_TEXT].decode("utf-8", "replace")
    return text + "..." if len(payload) > _MOST_TEXT else text


def list_access_logs(call: SandboxCall) -> Reply:
    call.get("applications", "applicationId")
    asked = call.arguments
    return 200, page(
        call,
        "access_logs",
        equal("applicationId", asked["applicationId"]),
        within("time", asked["rangeStart"], asked["rangeEnd"]),
        equal("method", asked["method"].upper() if "method" in asked else None),
        _with_status(asked.get("status")),
        matches("requestUri", _expression(asked.get("path"))),
        total=False,
        present=_present,
    )


def _with_status(status: str | None) -> Where:
    if status is None:
        return None
    return Condition(f"{column('status')} {'<' if status == 'success' else '>='} 400")


def _expression(pattern: str | None) -> str | None:
    try:
        return None if pattern is None else re.compile(pattern).pattern
    except re.error as error:
        raise RefusalError(400, f"no regular expression: {error}", parameter="path") from None


def _present(entry: Document) -> Document:
    return {key: value for key, value in entry.items() if key not in ("id", "applicationId")}


HANDLERS: Mapping[str, Handler] = {"list_access_logs": list_access_logs}
