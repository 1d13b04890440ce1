"""Set up a campaign from a template or as a copy."""

from talonone_mcp.workflows.campaign.set_up_campaign.campaign_setup import set_up_campaign

__all__ = ["set_up_campaign"]
