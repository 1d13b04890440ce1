"""The account while it is being filled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from talonone_mcp.sandbox.documents.document_store import DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp

CREATED = -420  # days from now when the account came into being


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account that is being filled: where to, what its dates are relative to, and how large.

    `random` draws codes, dates and amounts: the same seed gives the same account. `scale` is how
    many times the demo account's customers there are, with all that is theirs.
    """

    store: DocumentStore
    now: datetime
    random: Random
    scale: int = 1

    def day(self, offset: float) -> str:
        """Return the time that lies so many days from now."""
        return stamp(self.now + timedelta(days=offset))

    def date(self, offset: int) -> str:
        """Return the midnight, UTC, that lies so many days from now: as people set a date."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return stamp(midnight + timedelta(days=offset))
