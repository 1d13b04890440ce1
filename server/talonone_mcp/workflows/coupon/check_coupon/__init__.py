"""Check a coupon: whether a code works now, and if not, why."""

from talonone_mcp.workflows.coupon.check_coupon.coupon_check import check_coupon

__all__ = ["check_coupon"]
