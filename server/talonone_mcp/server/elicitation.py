"""The ways in which an MCP client can put a question to its user.

A 2026-07-28 client is answered with the question and calls again with the reply. A client of the
handshake era is asked over its session while the call waits. A client that declares no form
elicitation has nobody to ask.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import anyio
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from talonone_mcp.calls.gate import Asked, NobodyThereError, Person, Reply
from talonone_mcp.core.errors import CallError

PATIENCE = 600.0  # seconds that a question stays open
_OPEN = 1000  # questions that may be open at once; the oldest go first
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
    """The questions that were returned and not yet answered, so that each is answered once.

    The sealed request state proves that a reply belongs to a question of this server, for the
    same tool and arguments; it does not keep a client from sending the same reply again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def open(self) -> str:
        """Return the id of a new question."""
        while len(self._until) >= _OPEN:
            del self._until[next(iter(self._until))]
        question = secrets.token_urlsafe(16)
        self._until[question] = self._clock() + PATIENCE
        return question

    def close(self, question: str) -> bool:
        """Take a question out; False if it was never open, is answered already, or too old."""
        return self._clock() < self._until.pop(question, 0)


class InputRequired(Asked):
    """The question goes back to the client as the result of this request."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("a person must confirm")
        self.result = result


def person_behind(
    ctx: ServerRequestContext[Any, Any],
    params: types.CallToolRequestParams,
    questions: OpenQuestions,
) -> Person | None:
    """Return who can be asked by this client, or None."""
    capabilities = ctx.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    # An empty declaration means forms, as in the revisions before there were modes.
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return None
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return _ByReturn(params, questions)
    return _BySession(ctx) if ctx.session.can_send_request else None


class _ByReturn:
    """Asks by returning the question; the reply comes with the client's next request."""

    def __init__(self, params: types.CallToolRequestParams, questions: OpenQuestions) -> None:
        self._state = json.loads(params.request_state) if params.request_state else {}
        self._response = (params.input_responses or {}).get(_KEY)
        self._questions = questions

    async def answer(self, question: str, call: str) -> Reply:
        digest = hashlib.sha256(call.encode()).hexdigest()
        if isinstance(self._response, types.ElicitResult) and self._state:
            still_open = self._questions.close(self._state["question"])
            if not still_open:
                raise CallError(
                    "approval_required",
                    "This confirmation was used before or is too old. Nothing was changed.",
                    hint="Make the call again, without request state, to ask anew.",
                )
            if self._state["digest"] == digest:
                return _reply(self._response, late=False)
        state = {"question": self._questions.open(), "digest": digest}
        request = types.ElicitRequest(
            params=types.ElicitRequestFormParams(message=question, requested_schema=_FORM)
        )
        raise InputRequired(
            types.InputRequiredResult(
                input_requests={_KEY: request}, request_state=json.dumps(state)
            )
        )


class _BySession:
    """Asks over the session and waits."""

    def __init__(self, ctx: ServerRequestContext[Any, Any]) -> None:
        self._ctx = ctx

    async def answer(self, question: str, call: str) -> Reply:
        try:
            with anyio.fail_after(PATIENCE):
                result = await self._ctx.session.elicit_form(
                    question, _FORM, related_request_id=self._ctx.request_id
                )
        except TimeoutError:
            raise NobodyThereError(f"nobody answered within {PATIENCE:g} s") from None
        except (MCPError, ValidationError):
            raise NobodyThereError("the client cannot do what it declared") from None
        return _reply(result, late=True)


def _reply(result: types.ElicitResult, *, late: bool) -> Reply:
    """Read a reply. Only a true boolean is a yes, and only where the form was accepted."""
    if result.action == "cancel":
        return Reply("cancelled", late)
    approved = result.action == "accept" and (result.content or {}).get("approve") is True
    return Reply("yes" if approved else "no", late)
