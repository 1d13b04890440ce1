"""The demo account's webhooks and additional costs, and the recent entries of its logs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from talonone_mcp.sandbox.demo.demo_account import CREATED, DemoAccount
from talonone_mcp.sandbox.ground.account_facts import (
    ACCOUNT_ID,
    MANAGEMENT_KEY_ID,
    SHOP,
    SHOP_US,
    USER_ID,
)
from talonone_mcp.sandbox.logs.message_log import SentMessage, log_message

_WEBHOOK = 11
_URL = "https://hooks.example.com"


def fill(account: DemoAccount) -> None:
    """Fill this part of the account."""
    _fill_additional_costs(account)
    _fill_webhooks(account)
    _fill_access_log(account)
    _fill_audit_log(account)
    _fill_messages(account)
    export = {"created": account.day(-7), "accountId": ACCOUNT_ID, "userId": USER_ID}
    chosen = {"applicationId": SHOP, "campaignId": 18}
    account.store.add("exports", export | {"entity": "Coupon", "filter": chosen})


def _fill_additional_costs(account: DemoAccount) -> None:
    costs = (
        (2, "shippingFee", "Shipping fee", "What delivery by a carrier costs", "session"),
        (3, "shipping", "Shipping", "What delivery costs", "both"),
        (7, "giftWrap", "Gift wrap", "Wrapping of one item", "item"),
        (31, "deposit", "Deposit", "Refundable deposit", "both"),
    )
    for number, name, title, description, kind in costs:
        cost = {
            "id": number,
            "created": account.day(CREATED),
            "accountId": ACCOUNT_ID,
            "name": name,
            "title": title,
            "description": description,
            "subscribedApplicationsIds": [SHOP, SHOP_US],
            "type": kind,
        }
        account.store.add("additional_costs", cost, label=name)


def _fill_webhooks(account: DemoAccount) -> None:
    message = {
        "type": "string",
        "title": "message",
        "description": "What the customer is told",
        "ui": {"type": "text"},
    }
    common = {
        "created": account.day(-200),
        "modified": account.day(-40),
        "draft": False,
        "verb": "POST",
        "headers": ["Content-Type: application/json"],
        "payload": '{"message": "${message}"}',
        "enabled": True,
    }
    plain = {
        "id": _WEBHOOK,
        "applicationIds": [],
        "title": "Send message",
        "description": "Tells the customer about a new coupon",
        "url": f"{_URL}/messages",
        "params": [message],
    }
    braze = {
        "id": 12,
        "applicationIds": [SHOP],
        "title": "Braze campaign",
        "description": "Starts a campaign in the marketing tool",
        "url": f"{_URL}/braze",
        "params": [],
        "outgoingIntegrationTemplateId": 1,
        "outgoingIntegrationTypeId": 1,
        "outgoingIntegrationTypeName": "Braze",
    }
    hidden = {
        "id": 13,
        "applicationIds": [SHOP_US],
        "title": "Old message service",
        "url": f"{_URL}/old",
        "params": [],
        "enabled": False,
        "hidden": True,
    }
    for webhook in (plain, braze, hidden):
        account.store.add("webhooks", common | webhook)


def _fill_access_log(account: DemoAccount) -> None:
    for number in range(1, 11):
        refused = number % 5 == 0
        body = {"customerSession": {"profileId": "anna.schmidt", "state": "open"}}
        entry = {
            "id": number,
            "applicationId": SHOP,
            "uuid": f"606e7d34-2d36-4d53-ac71-{number:012}",
            "status": 400 if refused else 200,
            "method": "PUT",
            "requestUri": f"/v2/customer_sessions/order-{number:03}",
            "time": account.day(-1 + number / 24),
            "requestPayload": json.dumps({} if refused else body),
            "responsePayload": '{"message": "customerSession is missing"}' if refused else "{}",
        }
        account.store.add("access_logs", entry)


def _fill_audit_log(account: DemoAccount) -> None:
    renamed: dict[str, Any] = {"id": 18, "name": "Summer promotions", "state": "enabled"}
    for number, application, campaign, old in ((1, SHOP, 18, "Summer"), (2, SHOP_US, 31, "Ship")):
        entry = {
            "id": number,
            "created": account.day(-3 + number),
            "userId": USER_ID,
            "applicationId": application,
            "entity": f"/v1/applications/{application}/campaigns/{campaign}",
            "old": renamed | {"id": campaign, "name": old},
            "new": renamed | {"id": campaign},
            "managementKeyId": MANAGEMENT_KEY_ID,
        }
        account.store.add("changes", entry)


def _fill_messages(account: DemoAccount) -> None:
    changed = SentMessage(
        entity_type="application",
        sender=(1, "Campaign changes"),
        url=f"{_URL}/campaigns",
        payload={"TotalResultSize": 1, "Data": [{"campaignId": 18}]},
        change="CampaignNotification",
        application_id=SHOP,
        campaign_id=18,
    )
    log_message(account.store, datetime.fromisoformat(account.day(-2)), changed)
    for number in range(1, 7):
        message = SentMessage(
            entity_type="webhook",
            sender=(_WEBHOOK, "Send message"),
            url=f"{_URL}/messages",
            payload={"message": f"Your coupon {number} is waiting"},
            application_id=SHOP,
            campaign_id=18,
            status=503 if number == 3 else 204,  # noqa: PLR2004
        )
        log_message(account.store, datetime.fromisoformat(account.day(number / 4 - 1.75)), message)
