"""The periods of recurring budgets: a day, a week, a month or a year where the Application is."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore

# https://docs.talon.one/docs/product/campaigns/settings/manage-campaign-budgets: what recurs is
# counted from the start of its day, week, month or year where the Application is.
_PERIODS = {"daily": "%Y-%m-%d", "weekly": "%G-W%V", "monthly": "%Y-%m", "yearly": "%Y"}


def period_at(store: DocumentStore, campaign: Document, period: str | None, at: datetime) -> str:
    """Return a name for the period of a campaign's budget that a time lies in.

    Args:
        store: where the Application is, whose time zone counts.
        campaign: whose budget.
        period: daily, weekly, monthly or yearly; anything else does not recur.
        at: the time.
    """
    if period not in _PERIODS:
        return ""
    application = store.get("applications", campaign["applicationId"]) or {}
    return at.astimezone(ZoneInfo(application["timezone"])).strftime(_PERIODS[period])
