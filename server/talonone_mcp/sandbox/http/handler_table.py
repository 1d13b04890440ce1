"""Which function answers which operation."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from talonone_mcp.sandbox.achievements import achievements, progress_lists
from talonone_mcp.sandbox.campaigns import (
    additional_costs,
    applications,
    campaign_analytics,
    campaign_creation,
    campaigns,
)
from talonone_mcp.sandbox.cards import card_files, card_lifecycle, card_points
from talonone_mcp.sandbox.catalogs import attributes, catalogs, collections, prices
from talonone_mcp.sandbox.codes import (
    capillary,
    coupon_files,
    coupon_jobs,
    coupon_rejections,
    coupons,
    giveaways,
    platform_codes,
    referral_lists,
    referrals,
    reservations,
)
from talonone_mcp.sandbox.customer_data import (
    activity_reports,
    customer_analytics,
    erasure,
    inventory,
)
from talonone_mcp.sandbox.customers import audience_members, audiences, profile_lists
from talonone_mcp.sandbox.handling.calls import Handler
from talonone_mcp.sandbox.logs import access_log, audit_log, export_log, message_log, webhooks
from talonone_mcp.sandbox.loyalty import (
    loyalty_exports,
    loyalty_imports,
    notifications,
    profile_ledgers,
    profile_points,
    programs,
)
from talonone_mcp.sandbox.scim import discovery, groups
from talonone_mcp.sandbox.scim import users as scim_users
from talonone_mcp.sandbox.sessions import (
    effect_exports,
    events,
    profile_updates,
    returns,
    session_lists,
    sessions,
)
from talonone_mcp.sandbox.stores import campaign_links, store_budgets, stores
from talonone_mcp.sandbox.team import accounts, logins, roles
from talonone_mcp.sandbox.team import users as team_users

_MODULES: tuple[ModuleType, ...] = (
    achievements,
    progress_lists,
    additional_costs,
    applications,
    campaign_analytics,
    campaign_creation,
    campaigns,
    card_files,
    card_lifecycle,
    card_points,
    attributes,
    catalogs,
    collections,
    prices,
    capillary,
    coupon_files,
    coupon_jobs,
    coupon_rejections,
    coupons,
    giveaways,
    platform_codes,
    referral_lists,
    referrals,
    reservations,
    activity_reports,
    customer_analytics,
    erasure,
    inventory,
    audience_members,
    audiences,
    profile_lists,
    access_log,
    audit_log,
    export_log,
    message_log,
    webhooks,
    loyalty_exports,
    loyalty_imports,
    notifications,
    profile_ledgers,
    profile_points,
    programs,
    discovery,
    groups,
    scim_users,
    effect_exports,
    events,
    profile_updates,
    returns,
    session_lists,
    sessions,
    campaign_links,
    store_budgets,
    stores,
    accounts,
    logins,
    roles,
    team_users,
)

HANDLERS: Mapping[str, Handler] = {
    name: handler for module in _MODULES for name, handler in module.HANDLERS.items()
}
