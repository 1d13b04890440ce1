"""Holds a running server's state. What only calls need opens with the first call."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.context import ServerRequestContext

from talonone_mcp.core.catalog import Operation
from talonone_mcp.server.account_lists import AccountLists
from talonone_mcp.server.mcp_caller import caller_of
from talonone_mcp.server.resources import ResourceReader
from talonone_mcp.server.setup import ServerSetup
from talonone_mcp.server.subscriptions import Subscriptions
from talonone_mcp.store import Store

if TYPE_CHECKING:
    from talonone_mcp.server.tool_calls import ToolCalls
    from talonone_mcp.surface.dispatch import Dispatch


class Runtime:
    """One running server: its store, its subscriptions, and what answers calls."""

    def __init__(
        self, setup: ServerSetup, stack: AsyncExitStack, subscriptions: Subscriptions
    ) -> None:
        """Start without opening anything.

        Args:
            setup: what the server is built from.
            stack: closes what calls open.
            subscriptions: who watches which resources.
        """
        self.subscriptions = subscriptions
        self._setup = setup
        self._stack = stack
        self._lists = AccountLists(setup.clock, setup.limits.account_lists)
        self._opening = anyio.Lock()
        self._opened: tuple[Dispatch, ToolCalls] | None = None

    @cached_property
    def store(self) -> Store:
        """What outlives a call; opened on first use."""
        if self._setup.store is not None:
            return self._setup.store
        from talonone_mcp.store.local_store import local_store  # noqa: PLC0415 - not at start

        return local_store(self._setup.settings, self._setup.clock)

    async def tool_calls(self) -> ToolCalls:
        """Return what answers `tools/call`.

        Raises:
            CallError: `unreachable`, when no request can be made.
        """
        return (await self._open())[1]

    async def dispatch(self) -> Dispatch:
        """Return what answers every call.

        Raises:
            CallError: as `tool_calls` does.
        """
        return (await self._open())[0]

    def reader(self, ctx: ServerRequestContext[Any, Any]) -> ResourceReader:
        """Return the reader of resources for one request."""
        setup = self._setup
        return ResourceReader(
            setup.catalog,
            self.store,
            self._lists,
            setup.limits,
            setup.settings.read_only,
            setup.settings.mask_pii,
            caller_of(ctx, setup.principal, via=ctx.method),
            self.dispatch,
        )

    async def _open(self) -> tuple[Dispatch, ToolCalls]:
        async with self._opening:
            if self._opened is None:
                from talonone_mcp.server.tool_calls import ToolCalls  # noqa: PLC0415 - not at start
                from talonone_mcp.server.wiring import open_dispatch  # noqa: PLC0415 - not at start

                setup = self._setup
                opening = open_dispatch(
                    setup.settings,
                    setup.catalog,
                    self.store,
                    setup.upstream,
                    announce=self._announce,
                    clock=setup.clock,
                )
                dispatch = await self._stack.enter_async_context(opening)
                self._opened = dispatch, ToolCalls(dispatch, setup.principal, setup.clock)
            return self._opened

    def _announce(self, operation: Operation, arguments: Mapping[str, Any], answer: Any) -> None:
        self._lists.forget()
        try:
            self.subscriptions.announce(operation, arguments, answer)
        except Exception:  # the call was made, and its answer must reach the client
            logging.getLogger(__name__).exception("%s was not announced", operation.name)


@asynccontextmanager
async def running(setup: ServerSetup) -> AsyncIterator[Runtime]:
    """Hold a server's state until the server ends."""
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        try:
            yield Runtime(setup, stack, Subscriptions(tasks, setup.limits))
        finally:
            tasks.cancel_scope.cancel()  # do not wait for undelivered notifications
