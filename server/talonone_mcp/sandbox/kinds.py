"""Which kinds of documents the account holds, and by which of their fields they are looked for."""

from __future__ import annotations

from collections.abc import Mapping

Index = tuple[str, ...]

# A kind, and its indexes: the fields that narrow a list which may become long, in the order in
# which a filter gives them. Every kind is found by id, by label and by parent without any.
KINDS: Mapping[str, tuple[Index, ...]] = {
    "applications": (),
    "campaign_groups": (),
    "campaign_templates": (),
    "campaigns": (),
    "cart_item_filter_expressions": (),
    "cart_item_filters": (),
    "coupon_deletion_jobs": (),
    "coupon_jobs": (),
    "coupon_rejections": (("sessionID",),),
    "coupons": (("recipientIntegrationId",), ("batchId",)),
    "customers": (("integrationId",),),
    "experiments": (),
    "exports": (),
    "imports": (),
    "logins": (),
    "redemptions": (("couponId",),),
    "reservations": (("customer",),),
    "rulesets": (),
    "value_maps": (),
}
