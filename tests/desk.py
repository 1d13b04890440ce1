"""An MCP client at work in a sandbox that counts its requests, and fails where a test wants it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from tempfile import TemporaryDirectory
from typing import Any

from mcp import Client, types
from mcp.client import ClientRequestContext
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import Clock
from talonone_mcp.core.settings import load_settings
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.server.app import build_server
from talonone_mcp.server.prompts import Prompt
from talonone_mcp.server.setup import DEFAULT_LIMITS, ServerLimits
from tests.clocks import Leaping
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
    """A client with the account that it works in. `questions` are those that its person was put.

    `sandbox` is the account itself, for documents that no operation makes.
    """

    client: Client
    account: Account
    sandbox: Sandbox
    time: Time
    questions: list[str]
    clock: Clock

    def add_application(self, number: int, **changes: Any) -> None:
        """Give the account one more Application, like the first of those that it has."""
        like, *_ = self.sandbox.store.select("applications")
        self.sandbox.store.add("applications", like | {"id": number} | changes)

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


def desk_clock(time: Time) -> Clock:
    """Return a clock that shows the time of the account, and by which waiting costs nothing."""
    return replace(Leaping().clock, now=lambda: time().timestamp())


@asynccontextmanager
async def open_desk(  # noqa: PLR0913 - who is at it, and what they find
    catalog: Catalog,
    *,
    answering: Answering | None = lambda _: YES,
    mode: Any = "auto",
    environment: Mapping[str, str] | None = None,
    make: Callable[..., Sandbox] = Sandbox,
    limits: ServerLimits = DEFAULT_LIMITS,
    prompts: Mapping[str, Prompt] | None = None,
    **flags: Any,
) -> AsyncIterator[Desk]:
    """Open a desk in a demo account of its own, without its limit of requests. Nobody waits there.

    Args:
        catalog: what the server serves.
        answering: what the person says; None for a client that can ask nobody.
        mode: the era of the protocol.
        environment: which keys there are, in place of all of them.
        make: makes the account.
        limits: how much the client may ask for.
        prompts: what the server offers, in place of ours.
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
        TemporaryDirectory() as folder,  # so that what one desk gives counts for no other
        closing(make(catalog, limited=False, now=time)) as app,
    ):
        account = Account(app)
        whole = {"state_dir": folder} | ({} if environment else {"sandbox": True})
        settings = load_settings(whole | flags, environment or {})
        clock = desk_clock(time)
        server = build_server(
            settings, catalog, account, clock=clock, limits=limits, prompts=prompts
        )
        callback = ask if answering else None
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            yield Desk(client, account, app, time, questions, clock)
