"""HTTP responses: what handlers give back, and refusals."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import orjson
from starlette.responses import Response, StreamingResponse

from talonone_mcp.core.catalog.model import Api
from talonone_mcp.sandbox.ground.refusals import RefusalError, error_body
from talonone_mcp.sandbox.ground.timestamps import brief_times
from talonone_mcp.sandbox.handling.csv_files import CsvExport
from talonone_mcp.sandbox.scim.resources import SCIM_PATH, scim_error


class SandboxJson(Response):
    """A JSON response, its times written as upstream writes them."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return brief_times(orjson.dumps(content))


def response_of(status: int, body: Any) -> Response:
    """Return the response for a handler's reply."""
    if body is None:
        return Response(status_code=status)
    if isinstance(body, CsvExport):
        return StreamingResponse(body.lines(), status, media_type="application/csv")
    return SandboxJson(body, status)


def refusal_response(failure: RefusalError | OverflowError, api: Api, path: str) -> Response:
    """Return the response for a refusal, in the form of its API.

    Args:
        failure: the refusal; an `OverflowError` is an integer that no store can hold.
        api: which API refuses.
        path: the request's path.
    """
    error = _as_refusal(failure)
    headers = {"Retry-After": "1"} if error.status == HTTPStatus.TOO_MANY_REQUESTS else None
    body = error_body(error, api, uuid4())
    if path.startswith(SCIM_PATH):
        body |= scim_error(error)
    return SandboxJson(body, error.status, headers)


def _as_refusal(failure: RefusalError | OverflowError) -> RefusalError:
    if isinstance(failure, RefusalError):
        return failure
    return RefusalError(400, "an integer has more than 64 bits")
