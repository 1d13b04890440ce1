"""Refusals, in the form of each API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

from talonone_mcp.core.catalog.model import Api


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong, and where: `source` names a pointer, parameter, line or resource."""

    details: str
    source: Mapping[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """A refusal. It undoes what the request has changed."""

    def __init__(self, status: int, message: str, **source: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.flaws: Sequence[Flaw] = (Flaw(message, source),)

    @classmethod
    def of(cls, status: int, flaws: Sequence[Flaw]) -> RefusalError:
        """Return the refusal for several flaws at once."""
        error = cls(status, "; ".join(flaw.details for flaw in flaws))
        error.flaws = flaws
        return error


def error_body(error: RefusalError, api: Api, request: UUID) -> dict[str, Any]:
    """Return a refusal as the body of an answer of this API; `request` identifies the request."""
    phrase = HTTPStatus(error.status).phrase
    if api == "third_party":
        said = f"{phrase}: {error.message}" if error.message else phrase
        return {"StatusCode": error.status, "Error": said, "RequestUUID": str(request)}
    if api == "capillary":
        return {"errors": [{"code": error.status, "message": error.message, "status": False}]}
    return {
        "message": error.message,
        "errors": [
            {"title": phrase, "details": flaw.details, "source": dict(flaw.source)}
            for flaw in error.flaws
        ],
        "StatusCode": error.status,
    }
