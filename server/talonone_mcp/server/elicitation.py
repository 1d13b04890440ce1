"""Asks a client's user to confirm a call.

A 2026-07-28 client receives the question as the result, and calls again with the reply. A
handshake-era client is asked over its session while the call waits. A client that declares no form
elicitation has nobody to ask.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import anyio
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from talonone_mcp.calls.caller import NobodyThereError, Person, QuestionOpenError, Reply
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.errors import CallError

QUESTION_TIMEOUT_S = 600.0
_MAX_OPEN = 1000  # questions open at once; the oldest is dropped first
_KEY = "confirmation"
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approve": {
            "type": "boolean",
            "title": "Yes, do exactly this",
            "description": "Nothing happens unless this is true.",
        }
    },
    "required": ["approve"],
}


class OpenQuestions:
    """The questions returned and not yet answered, so that each reply counts once.

    The sealed request state proves that a reply belongs to this server's question about the same
    tool and arguments. It does not stop a client from sending that reply twice; this does.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def returned(self, waiting: QuestionOpenError) -> types.InputRequiredResult:
        """Open a question, and return the result that makes the client show it and call again."""
        state = {"question": self._open(), "digest": _digest(waiting.binding)}
        request = types.ElicitRequest(
            params=types.ElicitRequestFormParams(message=waiting.question, requested_schema=_FORM)
        )
        return types.InputRequiredResult(
            input_requests={_KEY: request}, request_state=json.dumps(state)
        )

    def _open(self) -> str:
        """Open a question and return its id."""
        while len(self._until) >= _MAX_OPEN:
            del self._until[next(iter(self._until))]
        question = secrets.token_urlsafe(16)
        self._until[question] = self._clock.monotonic() + QUESTION_TIMEOUT_S
        return question

    def close(self, question: str) -> bool:
        """Close a question; False if it was never open, was answered already or has expired."""
        return self._clock.monotonic() < self._until.pop(question, 0)


def person_behind(
    ctx: ServerRequestContext[Any, Any],
    params: types.CallToolRequestParams,
    questions: OpenQuestions,
) -> Person | None:
    """Return the person whom this client can ask, or None."""
    capabilities = ctx.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    # An empty declaration means forms, as before the protocol had modes.
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return None
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return _ByReturn(params, questions)
    return _BySession(ctx) if ctx.session.can_send_request else None


class _ByReturn:
    """Asks by returning the question; the client's next request brings the reply."""

    def __init__(self, params: types.CallToolRequestParams, questions: OpenQuestions) -> None:
        self._state = json.loads(params.request_state) if params.request_state else {}
        self._response = (params.input_responses or {}).get(_KEY)
        self._questions = questions

    async def answer(self, question: str, binding: str) -> Reply:
        if not (isinstance(self._response, types.ElicitResult) and self._state):
            return Reply("open")
        if not self._questions.close(self._state["question"]):
            raise CallError(
                "approval_required",
                "This confirmation was already used or has expired. Nothing was changed.",
                hint="Make the call again, without request state, to ask again.",
            )
        if self._state["digest"] != _digest(binding):
            return Reply("open")
        return _reply(self._response, late=False)


class _BySession:
    """Asks over the session and waits."""

    def __init__(self, ctx: ServerRequestContext[Any, Any]) -> None:
        self._ctx = ctx

    async def answer(self, question: str, binding: str) -> Reply:
        try:
            with anyio.fail_after(QUESTION_TIMEOUT_S):
                result = await self._ctx.session.elicit_form(
                    question, _FORM, related_request_id=self._ctx.request_id
                )
        except TimeoutError:
            raise NobodyThereError(f"nobody answered within {QUESTION_TIMEOUT_S:g} s") from None
        except (MCPError, ValidationError):
            raise NobodyThereError("the client cannot do what it declared") from None
        return _reply(result, late=True)


def _digest(binding: str) -> str:
    return hashlib.sha256(binding.encode()).hexdigest()


def _reply(result: types.ElicitResult, *, late: bool) -> Reply:
    """Return what a reply means: only an accepted form with `approve: true` is a yes."""
    if result.action == "cancel":
        return Reply("cancelled", late)
    approved = result.action == "accept" and (result.content or {}).get("approve") is True
    return Reply("yes" if approved else "no", late)
