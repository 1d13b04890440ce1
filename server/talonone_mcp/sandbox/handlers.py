"""Which function answers which operation."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox import (
    analytics,
    applications,
    campaigns,
    coupon_files,
    coupon_jobs,
    coupons,
    rejections,
    reservations,
)
from talonone_mcp.sandbox.handling import Handler

HANDLERS: Mapping[str, Handler] = {
    **applications.HANDLERS,
    **campaigns.HANDLERS,
    **analytics.HANDLERS,
    **coupons.HANDLERS,
    **coupon_files.HANDLERS,
    **coupon_jobs.HANDLERS,
    **reservations.HANDLERS,
    **rejections.HANDLERS,
}
