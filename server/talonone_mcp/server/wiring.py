"""Wires up everything that answers calls, on the real upstream or the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from functools import partial
from typing import Any

import anyio.to_thread
from starlette.types import ASGIApp

from talonone_mcp.calls.admission import Admission
from talonone_mcp.calls.executor import Announce, Executor, announce_nothing
from talonone_mcp.calls.gate import Gate
from talonone_mcp.calls.imports import ImportFiles
from talonone_mcp.calls.judging import Judge
from talonone_mcp.calls.recorder import Recorder
from talonone_mcp.calls.request import build
from talonone_mcp.calls.spending_limits import SpendingLimits
from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.settings import Settings
from talonone_mcp.store import Store
from talonone_mcp.surface.dispatch import Dispatch
from talonone_mcp.upstream.connection import Upstream, open_upstream


@asynccontextmanager
async def open_dispatch(  # noqa: PLR0913 - what a server is wired from
    settings: Settings,
    catalog: Catalog,
    store: Store,
    upstream: ASGIApp | None = None,
    *,
    announce: Announce = announce_nothing,
    clock: Clock = SYSTEM_CLOCK,
) -> AsyncIterator[Dispatch]:
    """Open the HTTP client and the dispatch that calls through it.

    Args:
        settings: the configuration.
        catalog: every operation and workflow, and the policy in force.
        store: what outlives a call.
        upstream: an ASGI application to call instead of the network or the sandbox.
        announce: is told what calls changed.
        clock: the clock to read and wait by.

    Raises:
        CallError: `unreachable`, when no request can be made at all.
    """
    with ExitStack() as stack:
        if settings.sandbox and upstream is None:
            from talonone_mcp.sandbox.app import Sandbox  # noqa: PLC0415 - no one else needs it

            upstream = stack.enter_context(closing(Sandbox(catalog)))
        login = catalog.operations["create_session"]
        async with open_upstream(
            settings, login, upstream, clock=clock, pace=store.pace
        ) as connection:
            admission = Admission(
                catalog,
                Judge(catalog, partial(_read, connection), clock),
                Gate(settings.confirm, store.ledger),
                SpendingLimits(catalog.policy, store.sums),
                connection.place,
            )
            executor = Executor(
                catalog,
                connection,
                admission,
                Recorder(store.audit, reads=settings.audit_reads, clock=clock),
                store,
                import_files=ImportFiles(settings.import_folder, settings.state_dir, clock),
                read_only=settings.read_only,
                announce=announce,
            )
            await anyio.to_thread.run_sync(store.secret_files.prune)
            yield Dispatch(
                catalog,
                executor,
                read_only=settings.read_only,
                masked=settings.mask_pii,
                clock=clock,
            )


async def _read(upstream: Upstream, operation: Operation, arguments: Mapping[str, Any]) -> Any:
    """Return what upstream shows, or what it says to a dry run."""
    return (await upstream.send(operation, build(operation, arguments))).body
