"""What outlives a call, behind Protocols: approvals, the audit log, sums, exports and so on.

So do the secrets that people need and models may not see. `local_store` keeps it all in memory, and
in files and SQLite in the state directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talonone_mcp.store.audit import AuditLog
    from talonone_mcp.store.cut_answers import CutAnswers
    from talonone_mcp.store.exports import Exports
    from talonone_mcp.store.ledger import Ledger
    from talonone_mcp.store.pace import Pace
    from talonone_mcp.store.secret_files import SecretFiles
    from talonone_mcp.store.sums import Sums


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that one deployment of the server stores."""

    ledger: Ledger
    audit: AuditLog
    sums: Sums
    exports: Exports
    cut_answers: CutAnswers
    pace: Pace
    secret_files: SecretFiles
