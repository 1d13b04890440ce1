"""Writes calls to the audit log: what was called, by whom, how it was confirmed, how it ended."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread

from talonone_mcp.calls.caller import Caller, QuestionOpenError
from talonone_mcp.calls.gate import Passage
from talonone_mcp.calls.imports import Content
from talonone_mcp.core.catalog import Tool
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.impact import Impact
from talonone_mcp.core.masking import mask_arguments
from talonone_mcp.store.audit import AuditError, AuditLog


@dataclass(slots=True)
class AuditEntry:
    """What the executor learns during a call, for the audit line written at its end.

    Attributes:
        passage: how the call passed the gate.
        impacts: what the call does.
        file: the file that an import read.
        status: upstream's HTTP status.
    """

    passage: Passage | None = None
    impacts: tuple[Impact, ...] = ()
    file: Content | None = None
    status: int | None = None


class Recorder:
    """Records a server's calls: every write, and reads if the operator wants that."""

    def __init__(self, log: AuditLog, *, reads: bool, clock: Clock = SYSTEM_CLOCK) -> None:
        """Record to a log.

        Args:
            log: where to write.
            reads: whether to record reads too.
            clock: measures how long calls take.
        """
        self._log = log
        self._reads = reads
        self._clock = clock

    @asynccontextmanager
    async def recording(
        self, tool: Tool, arguments: Mapping[str, Any], caller: Caller
    ) -> AsyncIterator[AuditEntry]:
        """Record one call, however it ends.

        Raises:
            CallError: `blocked`, before anything is sent, if a write could not be recorded.
        """
        entry = AuditEntry()
        if tool.is_read and not self._reads:
            yield entry
            return
        if not tool.is_read:
            await self._check()
        began = self._clock.monotonic()
        outcome = "ended"  # as long as nothing more is known, such as when the call is cancelled
        try:
            yield entry
            outcome = "done"
        except CallError as error:
            outcome, entry.status = error.kind, error.status
            raise
        except QuestionOpenError:
            outcome = "asked"
            raise
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            line = {
                **_line(tool, arguments, caller, entry, outcome),
                "milliseconds": round((self._clock.monotonic() - began) * 1000),
            }
            with anyio.CancelScope(shield=True):  # a cancelled call may have been sent all the same
                await anyio.to_thread.run_sync(self._append, line)

    async def _check(self) -> None:
        try:
            await anyio.to_thread.run_sync(self._log.check)
        except AuditError as error:
            raise CallError(
                "blocked",
                f"Nothing was sent: the call could not be recorded in the audit log. {error}",
                hint="Whoever runs the server must repair that, or set TALONONE_STATE_DIR.",
            ) from error

    def _append(self, line: Mapping[str, Any]) -> None:
        """Write the line; without its arguments if the log cannot take them."""
        try:
            try:
                self._log.append(line)
            except AuditError:
                self._log.append({**line, "arguments": "[these could not be recorded]"})
        except AuditError:  # the call is over, so only the operator can act on this
            logging.getLogger(__name__).exception("%s was not recorded", line["operation"])


def _line(
    tool: Tool, arguments: Mapping[str, Any], caller: Caller, entry: AuditEntry, outcome: str
) -> dict[str, Any]:
    passage, file = entry.passage, entry.file
    line = {
        "principal": caller.principal,
        "client": caller.client,
        "operation": tool.name,
        "via": caller.via,
        "risk": tool.risk,
        "arguments": mask_arguments(tool, arguments),
        "impact": [_told(each) for each in entry.impacts],
        "file": {"bytes": file.size, "lines": file.lines, "sha256": file.sha256} if file else None,
        "confirmed": passage.how if passage else None,
        "by": passage.by if passage else None,
        "approval": passage.entry if passage else None,
        "outcome": outcome,
        "status": entry.status,
    }
    return {key: value for key, value in line.items() if value not in (None, "", [])}


def _told(impact: Impact) -> dict[str, Any]:
    """Return an impact without its words, which may hold personal data."""
    return {"kind": impact.kind, "measure": impact.measure, "unit": impact.unit}
