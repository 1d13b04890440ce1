"""The client as the executor holds it, on the faulty upstream of `tests/faulty.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.progress import Progress, silent
from talonone_mcp.core.settings import load_settings
from talonone_mcp.upstream.http_client import Answer, Client, Request, Sink, open_client
from tests.clocks import Leaping
from tests.faulty import Faulty, faulty

KEY = "the-key-of-this-account"
READ, WRITE, EXPORT, IMPORT = "get_campaign", "delete_campaign", "export_coupons", "import_coupons"
_X = Request("/v1/x")


@dataclass(frozen=True, slots=True)
class Wired:
    """An open client and the catalog of what it calls."""

    client: Client
    catalog: Catalog

    async def send(
        self,
        tool: str = READ,
        request: Request = _X,
        sink: Sink | None = None,
        progress: Progress = silent,
    ) -> Answer:
        """Call a tool."""
        operation = self.catalog.operations[tool]
        return await self.client.send(operation, request, sink=sink, progress=progress)

    async def fail(
        self, tool: str = READ, request: Request = _X, sink: Sink | None = None
    ) -> CallError:
        """Call a tool that does not succeed and return its error."""
        with pytest.raises(CallError) as raised:
            await self.send(tool, request, sink)
        return raised.value

    async def ends_noticed(self) -> None:
        """Wait until this end knows of every idle connection that the other end has closed."""
        pool = self.client._upstream._http._transport._pool  # type: ignore[attr-defined]
        while not all(each.has_expired() for each in pool.connections):  # noqa: ASYNC110 - by the kernel
            await anyio.sleep(0.001)

    def under_way(self) -> dict[str, int]:
        """Count what there is besides idle connections; nothing is, when nobody calls."""
        pool = self.client._upstream._http._transport._pool  # type: ignore[attr-defined]
        return {
            "connections": sum(not each.is_idle() for each in pool.connections),
            "requests": len(pool._requests),
            "permits": self.client._upstream._pacer.open,  # type: ignore[attr-defined]
            "tasks": len(asyncio.all_tasks()),
        }


@dataclass(frozen=True, slots=True)
class Wire:
    """What a client is opened on."""

    server: Faulty
    time: Leaping
    catalog: Catalog

    @asynccontextmanager
    async def opened(self, **environment: str) -> AsyncIterator[Wired]:
        """Open a client, with further variables."""
        given = {"TALONONE_BASE_URL": self.server.url, "TALONONE_MANAGEMENT_KEY": KEY}
        settings = load_settings({}, given | environment)
        login = self.catalog.operations["create_session"]
        async with open_client(settings, login, clock=self.time.clock) as client:
            yield Wired(client, self.catalog)

    async def send(self, tool: str, progress: Progress = silent) -> Answer:
        """Call a tool once, with a client of its own."""
        async with self.opened() as client:
            return await client.send(tool, progress=progress)

    async def fail(self, tool: str, **environment: str) -> CallError:
        """The same for a call that does not succeed."""
        async with self.opened(**environment) as client:
            return await client.fail(tool)


@contextmanager
def faulty_wire(catalog: Catalog) -> Iterator[Wire]:
    """Run a faulty upstream, in a time that passes where somebody waits."""
    time = Leaping()
    with faulty(lambda: time.now) as server:
        yield Wire(server, time, catalog)


def descriptors() -> int:
    """Count the open files and sockets of this process, as Linux lists them."""
    return len(list(Path("/proc/self/fd").iterdir()))
