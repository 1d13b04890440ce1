"""How a call fails: one exception, whose kind tells the reader what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

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


class CallError(Exception):
    """A failed call, in the form that a client receives.

    Attributes:
        kind: the class of the error, from a fixed set.
        message: what happened.
        status: upstream's HTTP status, if it answered.
        details: individual problems, each with `at` (where) and `problem` (what).
        hint: what to do next.
        approval: the approval to wait for: its id, the command that grants it, when it expires.
        retryable: whether the same call may succeed later.
        after: seconds to wait before a retry, as upstream asked; not sent to the client.
    """

    def __init__(  # noqa: PLR0913 - the parts of one error
        self,
        kind: Kind,
        message: str,
        *,
        status: int | None = None,
        details: Sequence[Mapping[str, str]] = (),
        hint: str = "",
        retryable: bool = False,
        approval: Mapping[str, str] | None = None,
        after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.details = details
        self.hint = hint
        self.retryable = retryable
        self.approval = approval
        self.after = after

    def as_dict(self) -> dict[str, Any]:
        """Return the error as the client receives it, without empty parts."""
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
