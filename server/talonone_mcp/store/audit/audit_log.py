"""The interface of the audit log, wherever it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class AuditError(Exception):
    """A line cannot be written; the message says where and why. Nothing was written."""


class AuditLog(Protocol):
    """An append-only log, safe for concurrent threads and processes."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one line.

        Args:
            record: JSON values. Non-finite numbers are written as "NaN" or "Infinity".

        Raises:
            AuditError: the line cannot be written, or the record is not JSON, is nested too deeply
                or uses a reserved field.
        """

    def check(self) -> None:
        """Check that a line could be written now, without writing one.

        Raises:
            AuditError: it could not.
        """
