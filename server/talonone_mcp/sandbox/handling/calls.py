"""What every handler takes and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from talonone_mcp.core.catalog import Operation
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import USER_ID
from talonone_mcp.sandbox.ground.limits import USUAL_LIMITS, SandboxLimits
from talonone_mcp.sandbox.ground.refusals import RefusalError


@dataclass(frozen=True, slots=True)
class SandboxCall:
    """One request: the operation, its arguments in one mapping, and what it works on.

    Times among the arguments are in the store's format. `application_id` is the Application of an
    integration key; None in the other APIs. `user_id` is the caller of the Management API,
    `token` their session's; None with a key. `query` and `headers` are the raw request's, including
    undocumented parts.
    """

    operation: Operation
    arguments: Mapping[str, Any]
    store: DocumentStore
    now: datetime
    random: Random
    application_id: int | None = None
    user_id: int = USER_ID
    token: str | None = None
    limits: SandboxLimits = USUAL_LIMITS
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, kind: str, argument: str, *, parent: str | None = None) -> Document:
        """Return the document whose id an argument holds.

        Args:
            kind: the kind of document.
            argument: the argument that holds its id.
            parent: the document's field that must equal the argument of that name.

        Raises:
            RefusalError: 404, when there is none, or it belongs to something else.
        """
        number = self.arguments[argument]
        document = self.store.get(kind, int(number)) if str(number).isdecimal() else None
        if document is None or (parent and document[parent] != self.arguments[parent]):
            place = f" in {parent.removesuffix('Id')} {self.arguments[parent]}" if parent else ""
            name = argument.removesuffix("Id")
            raise RefusalError(404, f"{name} {number} does not exist{place}", resource=name)
        return document

    @property
    def body(self) -> Document:
        """The arguments from the body: those in neither the path nor the query."""
        elsewhere = (*self.operation.path_arguments, *self.operation.query)
        return {key: value for key, value in self.arguments.items() if key not in elsewhere}


Reply = tuple[int, Any]
"""Status and body: `CsvExport`, None for no body, or JSON."""

Handler = Callable[[SandboxCall], Reply]
