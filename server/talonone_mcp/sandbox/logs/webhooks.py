"""Webhooks, with which campaigns call other systems."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.conditions import contains, equal, filled, whether
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.handling.subscriptions import available_in

_IN_LIST_ALONE = (
    "outgoingIntegrationTemplateId",
    "outgoingIntegrationTypeId",
    "outgoingIntegrationTypeName",
)


def list_webhooks(call: SandboxCall) -> Reply:
    asked = call.arguments
    kind, visibility = asked.get("creationType"), asked.get("visibility")
    return 200, page(
        call,
        "webhooks",
        available_in("applicationIds", asked.get("applicationIds")),
        filled("outgoingIntegrationTemplateId", kind and kind == "templateWebhooks"),
        whether(equal("hidden", True), visibility and visibility == "hidden"),
        equal("outgoingIntegrationTypeId", asked.get("outgoingIntegrationsTypeId")),
        contains("title", asked.get("title")),
        total=True,
        present=lambda webhook: _without(webhook, "hidden"),
    )


def _without(webhook: Document, *left_out: str) -> Document:
    return {key: value for key, value in webhook.items() if key not in left_out}


def get_webhook(call: SandboxCall) -> Reply:
    return 200, _without(call.get("webhooks", "webhookId"), "hidden", *_IN_LIST_ALONE)


HANDLERS: Mapping[str, Handler] = {"list_webhooks": list_webhooks, "get_webhook": get_webhook}
