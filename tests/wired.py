"""The way upstream as the executor has it, on the faulty upstream of `tests/faulty.py`."""

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
from talonone_mcp.upstream.connection import Upstream, open_upstream
from talonone_mcp.upstream.http_messages import Answer, Request, Sink
from tests.clocks import Leaping
from tests.faulty import Faulty, faulty

KEY = "the-key-of-this-account"
READ, WRITE, EXPORT, IMPORT = "get_campaign", "delete_campaign", "export_coupons", "import_coupons"
_X = Request("/v1/x")


@dataclass(frozen=True, slots=True)
class Wired:
    """An open way upstream and the catalog of what it calls."""

    upstream: Upstream
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
        return await self.upstream.send(operation, request, sink=sink, progress=progress)

    async def fail(
        self, tool: str = READ, request: Request = _X, sink: Sink | None = None
    ) -> CallError:
        """Call a tool that does not succeed and return its error."""
        with pytest.raises(CallError) as raised:
            await self.send(tool, request, sink)
        return raised.value

    async def ends_noticed(self) -> None:
        """Wait until this end knows of every idle connection that the other end has closed."""
        while (pool := self.upstream.statistics().pool).expired < pool.connections:  # noqa: ASYNC110 - by the kernel
            await anyio.sleep(0.001)

    def under_way(self) -> dict[str, int]:
        """Count what there is besides idle connections; nothing is, when nobody calls."""
        statistics = self.upstream.statistics()
        return {
            "connections": statistics.pool.busy,
            "requests": statistics.pool.requests,
            "permits": statistics.open_departures,
            "tasks": len(asyncio.all_tasks()),
        }


@dataclass(frozen=True, slots=True)
class Wire:
    """What the way upstream is opened on."""

    server: Faulty
    time: Leaping
    catalog: Catalog

    @asynccontextmanager
    async def opened(self, **environment: str) -> AsyncIterator[Wired]:
        """Open it, with further variables."""
        given = {"TALONONE_BASE_URL": self.server.url, "TALONONE_MANAGEMENT_KEY": KEY}
        settings = load_settings({}, given | environment)
        login = self.catalog.operations["create_session"]
        async with open_upstream(settings, login, clock=self.time.clock) as upstream:
            yield Wired(upstream, self.catalog)

    async def send(self, tool: str, progress: Progress = silent) -> Answer:
        """Call a tool once, over a way of its own."""
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
