"""What the audit log promises, wherever it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class AuditError(Exception):
    """A line cannot be written; the message says where and why. Nothing was written."""


class AuditLog(Protocol):
    """A log to which lines are only ever added, by several threads and processes at once."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one line.

        Args:
            record: JSON values. What JSON has no number for is written as "NaN" or "Infinity".

        Raises:
            AuditError: the line was not written; or the record is no JSON, is nested too deeply,
                or holds a field of the log's own.
        """

    def check(self) -> None:
        """Return if a line could be written now, without writing one.

        Raises:
            AuditError: it could not.
        """
