"""Opens what answers calls: the one client, on the network or on the sandbox, and all above it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing

from starlette.types import ASGIApp

from talonone_mcp.calls.executor import Announce, Executor, unheard
from talonone_mcp.calls.gate import Gate
from talonone_mcp.calls.imports import ImportFiles
from talonone_mcp.calls.recorder import Recorder
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.settings import Settings
from talonone_mcp.server.resources import Sources
from talonone_mcp.store.audit import AuditLog
from talonone_mcp.store.sqlite_ledger import NAME as LEDGER
from talonone_mcp.store.sqlite_ledger import SqliteLedger
from talonone_mcp.surface.dispatch import Dispatch
from talonone_mcp.upstream.connection import Upstream, open_upstream


@asynccontextmanager
async def open_dispatch(  # noqa: PLR0913 - everything that a server is made of
    settings: Settings,
    catalog: Catalog,
    sources: Sources,
    upstream: ASGIApp | None = None,
    announce: Announce = unheard,
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> AsyncIterator[Dispatch]:
    """Open the client, and what answers calls with it.

    Args:
        settings: the configuration.
        catalog: every operation and workflow.
        sources: where exports, and the whole of an answer that was cut, are kept for reading.
        upstream: an application that answers in place of the network, or of the sandbox.
        announce: is told what calls have changed.
        clock: the one that everything in the server goes by.
    """
    with ExitStack() as stack:
        if settings.sandbox and upstream is None:
            from talonone_mcp.sandbox.app import Sandbox  # noqa: PLC0415 - no one else needs it

            upstream = stack.enter_context(closing(Sandbox(catalog)))
        login = catalog.operations["create_session"]
        async with open_upstream(settings, login, upstream, clock=clock) as client:
            executor = _executor(settings, catalog, client, sources, announce)
            yield Dispatch(
                catalog, executor, read_only=settings.read_only, masked=settings.mask_pii
            )


def _executor(
    settings: Settings, catalog: Catalog, client: Upstream, sources: Sources, announce: Announce
) -> Executor:
    ledger = SqliteLedger(settings.state_dir / LEDGER, lifetime=settings.approval_seconds)
    gate = Gate(settings.confirm, ledger, settings.thresholds)
    recorder = Recorder(AuditLog(settings.state_dir), reads=settings.audit_reads)
    return Executor(
        catalog,
        client,
        gate,
        recorder,
        import_files=ImportFiles(settings.import_folder, settings.state_dir),
        exports=sources.exports,
        answers=sources.answers,
        read_only=settings.read_only,
        announce=announce,
    )
