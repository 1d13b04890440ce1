"""Issue one coupon to one customer."""

from talonone_mcp.workflows.coupon.issue_coupon.coupon_issue import issue_coupon

__all__ = ["issue_coupon"]
