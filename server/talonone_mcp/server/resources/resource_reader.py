"""Reads resources for one request, on its caller's behalf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.server.account_lists import AccountEntries, AccountLists, Listing
from talonone_mcp.server.setup import ServerLimits
from talonone_mcp.store import Store

if TYPE_CHECKING:
    from talonone_mcp.calls.caller import Caller
    from talonone_mcp.surface.dispatch import Dispatch


@dataclass(frozen=True, slots=True)
class ResourceReader:
    """Reads for one request, through the same dispatch as a tool call.

    Attributes:
        catalog: every operation.
        store: what the server keeps.
        lists: the cached lists of the account.
        limits: how much may be read, and how long that may take.
        read_only: whether operations that change something are hidden.
        masked: whether personal data is masked.
        caller: who reads.
        dispatch: returns what answers calls; the first use loads the HTTP client.
    """

    catalog: Catalog
    store: Store
    lists: AccountLists
    limits: ServerLimits
    read_only: bool
    masked: bool
    caller: Caller
    dispatch: Callable[[], Awaitable[Dispatch]]

    @property
    def principal(self) -> str:
        """The one whose exports and answers may be read."""
        return self.caller.principal

    async def read(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call a read operation and return its full answer, masked if the operator wants that.

        Raises:
            CallError: the call failed or is not allowed.
        """
        dispatch = await self.dispatch()
        call = dispatch.resolve(operation, arguments)
        return dispatch.shown(call.tool, await dispatch.call(call, self.caller, in_full=True))

    async def entries(
        self, listing: Listing, arguments: Mapping[str, Any] | None = None
    ) -> AccountEntries:
        """Return a list of the account, from upstream if it is not cached.

        Raises:
            CallError: upstream did not return the list.
        """
        return await self.lists.entries(self.read, listing, arguments)

    async def shown(self, operation: str, content: dict[str, Any]) -> dict[str, Any]:
        """Return an earlier answer of an operation, masked if the operator wants that."""
        if not self.masked:
            return content
        dispatch = await self.dispatch()
        tool = self.catalog.find(operation)
        return await anyio.to_thread.run_sync(partial(dispatch.shown, tool, content))
