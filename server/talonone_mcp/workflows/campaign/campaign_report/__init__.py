"""Report how a campaign performs."""

from talonone_mcp.workflows.campaign.campaign_report.performance_report import campaign_report

__all__ = ["campaign_report"]
