"""The demo account while it is being filled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from talonone_mcp.sandbox.documents.document_store import DocumentStore
from talonone_mcp.sandbox.ground.timestamps import stamp

CREATED = -420  # days from now when the account came into being


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """What every part needs to fill the account: the store, the date and the size.

    `random` draws codes, dates and amounts: the same seed gives the same account. `scale`
    multiplies the number of customers, with all that they have.
    """

    store: DocumentStore
    now: datetime
    random: Random
    scale: int = 1

    def day(self, offset: float) -> str:
        """Return the time so many days from now."""
        return stamp(self.now + timedelta(days=offset))

    def date(self, offset: int) -> str:
        """Return the midnight (UTC) so many days from now, as people choose dates."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return stamp(midnight + timedelta(days=offset))
