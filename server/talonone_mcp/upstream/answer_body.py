"""Reads the body of an answer, up to a limit."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.hiding import hide_text
from talonone_mcp.core.text import one_line
from talonone_mcp.upstream.error_documents import page_title
from talonone_mcp.upstream.http_messages import Answer, Sink
from talonone_mcp.upstream.redaction import Redaction
from talonone_mcp.upstream.retries import retry_after
from talonone_mcp.upstream.wire_errors import look_first, refused, unreadable

MAX_ANSWER_BYTES = 64 * 2**20  # of an answer that is held in memory; an export is streamed
_MAX_ERROR_BYTES = 64 * 2**10
_ERROR_BODY_TIMEOUT_S = 2.0  # the status has already said the most
_CSV_TYPES = ("csv", "text/plain")
# The deadline moves on when a piece has used up this part of its time: moving it for each piece
# would cost more than reading it.
_EXTEND_AFTER = 0.01
_NO_CONTENT = 204
_MAX_TYPE_CHARS = 80  # of a content type that is passed on


async def read_error(
    operation: Operation, response: httpx.Response, redaction: Redaction, now: float
) -> CallError:
    """Return the error that an answer stands for, even if its body breaks off.

    `now` is the time in seconds since 1970.
    """
    body = bytearray()
    with anyio.move_on_after(_ERROR_BODY_TIMEOUT_S):
        try:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) >= _MAX_ERROR_BYTES:
                    break
        except httpx.HTTPError:
            pass
    text = bytes(body[:_MAX_ERROR_BYTES]).decode("utf-8-sig", "replace")
    return refused(
        operation,
        response.status_code,
        hide_text(redaction.text(text)),
        leads_to=_target(response),
        after=retry_after(response.headers, now),
    )


async def read_answer(
    operation: Operation, response: httpx.Response, redaction: Redaction
) -> Answer:
    """Return what a success holds.

    Raises:
        CallError: it is too large, or not in the form in which the operation answers.
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
        what = f"its {len(body)} bytes of {_type(response)} are not complete JSON"
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
    """Stream the body of an export into a sink.

    Args:
        operation: an export.
        response: its success.
        redaction: removes what must not get into the sink.
        sink: takes the pieces.
        limit: the scope of the request, and the seconds that each piece may take.

    Raises:
        CallError: the body is not CSV.
    """
    check_csv(operation, response)
    scope, seconds = limit
    stream = redaction.stream()
    sink.restart()
    async for piece in response.aiter_bytes():
        if clear := stream.feed(piece):
            await sink.write(clear)
        if scope.deadline - (now := anyio.current_time()) < seconds * (1 - _EXTEND_AFTER):
            scope.deadline = now + seconds
    if rest := stream.end():
        await sink.write(rest)
    return Answer(response.status_code)


def check_csv(operation: Operation, response: httpx.Response) -> None:
    """Return if an answer says that it is CSV, or is empty.

    Raises:
        CallError: it says that it is something else.
    """
    kind = _type(response)
    empty = response.status_code == _NO_CONTENT or response.headers.get("content-length") == "0"
    if not empty and not any(known in kind for known in _CSV_TYPES):
        raise unreadable(operation, response.status_code, f"with {kind}, not CSV")


async def _whole(operation: Operation, response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise _too_large(operation, response.status_code)
    return bytes(body)


def _too_large(operation: Operation, status: int) -> CallError:
    message = f"The answer to {operation.name} has more than {MAX_ANSWER_BYTES // 2**20} MB."
    if operation.risk == "read":
        hint = "Ask for less: a smaller pageSize, or narrower filters."
        return CallError("upstream", message, status=status, hint=hint)
    return CallError("outcome_unknown", message, status=status, hint=look_first(operation))


def _decoded(body: bytes, charset: str | None) -> str:
    """Decode as UTF-8, which JSON must be in; if that fails, as the answer says."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        if charset is None:
            raise
        return body.decode(charset)


def _type(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return one_line(kind, _MAX_TYPE_CHARS) or "no content type"


def _target(response: httpx.Response) -> str:
    """Return the host to which a redirect leads; the rest of its address may be secret."""
    if not response.has_redirect_location:
        return ""
    return response.url.join(response.headers["location"]).host


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
