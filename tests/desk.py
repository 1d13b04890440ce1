"""An MCP client at work in a sandbox that counts its requests, and fails where a test wants it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from mcp import Client, types
from mcp.client import ClientRequestContext
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.server.app import build_server
from talonone_mcp.workflows import steps
from tests.sandbox.door import Time

Answering = Callable[[str], types.ElicitResult]
"""What the person behind the client says to a question."""

YES = types.ElicitResult(action="accept", content={"approve": True})
NO = types.ElicitResult(action="decline")


@dataclass(slots=True)
class Account:
    """The sandbox behind a counter: what reaches it, and what fails in its place."""

    app: ASGIApp
    requests: list[str] = field(default_factory=list)
    _failing: dict[str, int] = field(default_factory=dict)

    def fail(self, pattern: str, status: int = 500) -> None:
        """Fail every request from now on that the pattern finds, such as `GET .*/ledger`."""
        self._failing[pattern] = status

    def mend(self) -> None:
        """Let every request through again."""
        self._failing.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = f"{scope['method']} {scope['path']}"
            self.requests.append(request)
            for pattern, status in self._failing.items():
                if re.search(pattern, request):
                    answer = JSONResponse({"message": "out of order"}, status)
                    await answer(scope, receive, send)
                    return
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Desk:
    """A client, the account that it works in, and the questions that its person was asked."""

    client: Client
    account: Account
    time: Time
    questions: list[str]
    store: DocumentStore

    def stored(self, kind: str, key: int | str) -> Document:
        """Return a document that the account has, by its id or its label."""
        found = self.store.get(kind, key) if isinstance(key, int) else self.store.find(kind, key)
        assert found, f"no {kind} {key}"
        return found

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that succeeds, and return its answer."""
        result = await self.client.call_tool(name, arguments)
        assert not result.is_error, result.structured_content
        return dict(result.structured_content or {})

    async def error(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that fails, and return its error."""
        result = await self.client.call_tool(name, arguments)
        assert result.is_error, result.structured_content
        return dict((result.structured_content or {})["error"])


@asynccontextmanager
async def open_desk(
    catalog: Catalog,
    *,
    answering: Answering | None = lambda _: YES,
    mode: Any = "auto",
    environment: Mapping[str, str] | None = None,
    **flags: Any,
) -> AsyncIterator[Desk]:
    """Open a desk in a demo account of its own, without its limit of requests.

    Args:
        catalog: what the server serves.
        answering: what the person says; None for a client that can ask nobody.
        mode: the era of the protocol.
        environment: which keys there are, in place of all of them.
        flags: of `serve`, by attribute name.
    """
    time, questions = Time(), list[str]()

    async def ask(
        context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        assert answering
        assert isinstance(params, types.ElicitRequestFormParams)
        questions.append(params.message)
        return answering(params.message)

    with (
        pytest.MonkeyPatch.context() as patch,
        closing(Sandbox(catalog, limited=False, now=time)) as app,
    ):
        patch.setattr(steps, "utc_now", time)
        account = Account(app)
        whole = {} if environment else {"sandbox": True}
        settings = load_settings(whole | flags, environment or {})
        server = build_server(settings, catalog, account)
        callback = ask if answering else None
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            yield Desk(client, account, time, questions, app.store)
