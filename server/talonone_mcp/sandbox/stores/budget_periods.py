"""The periods of recurring budgets: a day, week, month or year in the Application's time zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore

# https://docs.talon.one/docs/product/campaigns/settings/manage-campaign-budgets: a recurring
# budget starts with the day, week, month or year in the Application's time zone.
_PERIODS = {"daily": "%Y-%m-%d", "weekly": "%G-W%V", "monthly": "%Y-%m", "yearly": "%Y"}


def period_at(store: DocumentStore, campaign: Document, period: str | None, at: datetime) -> str:
    """Return a name for the period of a campaign's budget that contains a time.

    Args:
        store: has the Application, whose time zone counts.
        campaign: whose budget.
        period: daily, weekly, monthly or yearly; anything else is not recurring.
        at: the time.
    """
    if period not in _PERIODS:
        return ""
    application = store.get("applications", campaign["applicationId"]) or {}
    return at.astimezone(ZoneInfo(application["timezone"])).strftime(_PERIODS[period])
