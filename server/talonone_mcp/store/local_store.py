"""The store of one machine: memory, and SQLite and files in the state directory."""

from __future__ import annotations

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.settings import Settings
from talonone_mcp.store import Store
from talonone_mcp.store.audit import FileAuditLog
from talonone_mcp.store.cut_answers import MemoryCutAnswers
from talonone_mcp.store.export_files import FileExports
from talonone_mcp.store.pace import MemoryPace
from talonone_mcp.store.secret_files import FolderSecretFiles
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from talonone_mcp.store.sqlite_sums import SUMS_FILE, SqliteSums


def local_store(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> Store:
    """Return the store for a configuration. It touches no file before its first use."""
    folder = settings.state_dir
    return Store(
        ledger=SqliteLedger(folder / LEDGER_FILE, lifetime=settings.approval_seconds, clock=clock),
        audit=FileAuditLog(folder, clock=clock),
        sums=SqliteSums(folder / SUMS_FILE, clock=clock),
        exports=FileExports(
            folder,
            seconds=settings.export_hours * 3600,
            max_bytes=settings.export_megabytes * 1_000_000,
            clock=clock,
        ),
        cut_answers=MemoryCutAnswers(clock),
        pace=MemoryPace(clock),
        secret_files=FolderSecretFiles(folder, on_server=settings.transport == "http", clock=clock),
    )
