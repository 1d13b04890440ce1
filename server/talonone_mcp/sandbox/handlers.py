"""Which function answers which operation."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from talonone_mcp.sandbox.handling import Handler

_MODULES = (
    "campaigns.additional_costs",
    "campaigns.analytics",
    "campaigns.applications",
    "campaigns.campaigns",
    "cards.files",
    "cards.life",
    "cards.points",
    "catalogs.attributes",
    "catalogs.catalogs",
    "catalogs.collections",
    "catalogs.prices",
    "codes.capillary",
    "codes.coupon_files",
    "codes.coupon_jobs",
    "codes.coupons",
    "codes.giveaways",
    "codes.platforms",
    "codes.referral_lists",
    "codes.referrals",
    "codes.rejections",
    "codes.reservations",
    "customers.achievement_progress",
    "customers.achievements",
    "customers.audience_members",
    "customers.audiences",
    "customers.erasure",
    "customers.inventory",
    "customers.profiles",
    "customers.reports",
    "customers.updates",
    "logs.logs",
    "logs.webhooks",
    "loyalty.files",
    "loyalty.notifications",
    "loyalty.platforms",
    "loyalty.programs",
    "scim.discovery",
    "scim.groups",
    "scim.users",
    "sessions.effects",
    "sessions.events",
    "sessions.lists",
    "sessions.returns",
    "sessions.sessions",
    "stores.budgets",
    "stores.links",
    "stores.stores",
    "team.accounts",
    "team.logins",
    "team.roles",
    "team.users",
)

HANDLERS: Mapping[str, Handler] = {
    name: handler
    for module in _MODULES
    for name, handler in import_module(f"talonone_mcp.sandbox.{module}").HANDLERS.items()
}
