"""SCIM discovery: what an identity provider reads during its setup."""

from __future__ import annotations

from collections.abc import Mapping

from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.scim.resources import CORE, answer_list

_CHALLENGE = "x-okta-verification-challenge"  # https://developer.okta.com/docs/concepts/event-hooks


def _attribute(name: str, kind: str = "string", *, required: bool = False) -> Document:
    return {
        "name": name,
        "type": kind,
        "multiValued": name == "members",
        "required": required,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "server" if required else "none",
    }


_USER = {
    "id": f"{CORE}:User",
    "name": "User",
    "description": "User Account",
    "attributes": [
        _attribute("userName", required=True),
        _attribute("displayName"),
        _attribute("active", "boolean"),
        _attribute("name", "complex") | {"subAttributes": [_attribute("formatted")]},
    ],
}
_GROUP = {
    "id": f"{CORE}:Group",
    "name": "Group",
    "description": "Group",
    "attributes": [
        _attribute("displayName", required=True),
        _attribute("members", "complex")
        | {"subAttributes": [_attribute("value"), _attribute("display")]},
    ],
}


def list_scim_schemas(call: SandboxCall) -> Reply:
    return 200, answer_list(call, [_USER, _GROUP])


def list_scim_resource_types(call: SandboxCall) -> Reply:
    kinds = [
        {
            "schemas": [f"{CORE}:ResourceType"],
            "id": schema["name"],
            "name": schema["name"],
            "description": schema["description"],
            "endpoint": f"/{schema['name']}s",
            "schema": schema["id"],
        }
        for schema in (_USER, _GROUP)
    ]
    return 200, answer_list(call, kinds)


def get_scim_service_provider_config(_: SandboxCall) -> Reply:
    return 200, {
        "schemas": [f"{CORE}:ServiceProviderConfig"],
        "documentationUri": "https://docs.talon.one/docs/product/account/account-settings/scim",
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": 1000},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": False},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Management API key",
                "description": "The account's key in the Authorization header",
            }
        ],
    }


def validate_okta_ownership(call: SandboxCall) -> Reply:
    return 200, {"verification": call.headers.get(_CHALLENGE, "")}


HANDLERS: Mapping[str, Handler] = {
    "list_scim_schemas": list_scim_schemas,
    "list_scim_resource_types": list_scim_resource_types,
    "get_scim_service_provider_config": get_scim_service_provider_config,
    "validate_okta_ownership": validate_okta_ownership,
}
