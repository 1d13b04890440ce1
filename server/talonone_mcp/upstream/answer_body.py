"""Reads the body of an answer, and never more of it than it should."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.text import one_line
from talonone_mcp.upstream.error_documents import page_title
from talonone_mcp.upstream.messages import Answer, Sink
from talonone_mcp.upstream.redaction import Redaction
from talonone_mcp.upstream.retries import retry_after
from talonone_mcp.upstream.wire_errors import look_first, refused, unreadable

MOST = 64 * 2**20  # bytes of an answer that is held in memory
_MOST_OF_AN_ERROR = 64 * 2**10
_PATIENCE = 2.0  # seconds for the body of an error: its status has already said the most
_CSV = ("csv", "text/plain")
_CLOSE_ENOUGH = 0.99  # of a piece's time; to move the deadline for each costs more than the piece
_NO_CONTENT = 204
_TYPE = 80  # characters of a content type that are passed on


async def read_error(
    operation: Operation, response: httpx.Response, redaction: Redaction
) -> CallError:
    """Return the error of an answer that is no success; a body that breaks off does not matter."""
    body = bytearray()
    with anyio.move_on_after(_PATIENCE):
        try:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) >= _MOST_OF_AN_ERROR:
                    break
        except httpx.HTTPError:
            pass
    text = bytes(body[:_MOST_OF_AN_ERROR]).decode("utf-8-sig", "replace")
    return refused(
        operation,
        response.status_code,
        redaction.text(text),
        leads_to=_target(response),
        after=retry_after(response.headers),
    )


async def read_answer(
    operation: Operation, response: httpx.Response, redaction: Redaction
) -> Answer:
    """Return what a success holds.

    Raises:
        CallError: it is not in the form in which the operation answers, or too large.
    """
    body = await _whole(operation, response)
    if not body:
        return Answer(response.status_code)
    try:
        text = redaction.text(_decoded(body, response.charset_encoding))
    except (UnicodeDecodeError, LookupError):
        what = f"its {len(body)} bytes are in no known character set"
        raise unreadable(operation, response.status_code, what) from None
    if operation.answer == "csv":
        check_csv(operation, response)
        return Answer(response.status_code, text)
    try:
        return Answer(response.status_code, json.loads(text, parse_constant=_refuse_constant))
    except (ValueError, RecursionError):
        what = f"its {len(body)} bytes of {_type(response)} are no whole JSON"
        title = page_title(text)
        what = f"{what}: {title.removesuffix('.')}" if title else what
        raise unreadable(operation, response.status_code, what) from None


async def pour(
    operation: Operation,
    response: httpx.Response,
    redaction: Redaction,
    sink: Sink,
    limit: tuple[anyio.CancelScope, float],
) -> Answer:
    """Let the body of an export flow into a sink.

    Args:
        operation: an export.
        response: its success.
        redaction: what must not get into the sink.
        sink: takes the pieces.
        limit: the scope of the request, and the seconds that each piece may take.
    """
    check_csv(operation, response)
    scope, seconds = limit
    stream = redaction.stream()
    sink.restart()
    async for piece in response.aiter_bytes():
        if clear := stream.feed(piece):
            await sink.write(clear)
        if scope.deadline - (now := anyio.current_time()) < seconds * _CLOSE_ENOUGH:
            scope.deadline = now + seconds
    if rest := stream.end():
        await sink.write(rest)
    return Answer(response.status_code)


def check_csv(operation: Operation, response: httpx.Response) -> None:
    """Return when an answer says that it is CSV, or has nothing to say.

    Raises:
        CallError: it is something else.
    """
    kind = _type(response)
    empty = response.status_code == _NO_CONTENT or response.headers.get("content-length") == "0"
    if not empty and not any(known in kind for known in _CSV):
        raise unreadable(operation, response.status_code, f"with {kind}, not CSV")


async def _whole(operation: Operation, response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MOST:
            raise _too_large(operation, response.status_code)
    return bytes(body)


def _too_large(operation: Operation, status: int) -> CallError:
    message = f"The answer to {operation.name} has more than {MOST // 2**20} MB."
    if operation.risk == "read":
        hint = "Ask for less: a smaller pageSize, or narrower filters."
        return CallError("upstream", message, status=status, hint=hint)
    return CallError("outcome_unknown", message, status=status, hint=look_first(operation))


def _decoded(body: bytes, charset: str | None) -> str:
    """Decode by what JSON must be in; by what the answer says of itself only where that fails."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        if charset is None:
            raise
        return body.decode(charset)


def _type(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return one_line(kind, _TYPE) or "no content type"


def _target(response: httpx.Response) -> str:
    """Return the host to which a redirect leads, without what else its address may hold."""
    if not response.has_redirect_location:
        return ""
    return response.url.join(response.headers["location"]).host


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
