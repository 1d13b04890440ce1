"""SCIM: users and roles as an identity provider sees them; it calls roles groups.

It follows RFC 7643 and RFC 7644 where upstream's documents are silent. A filter and a page are read
from the request itself, because upstream documents no parameters for SCIM's lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from talonone_mcp.sandbox.documents.conditions import equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.scim.filters import filter_of
from talonone_mcp.sandbox.team.roles import members_of

CORE = "urn:ietf:params:scim:schemas:core:2.0"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
SCIM_PATH = "/v1/provisioning/scim/"
_ERROR_TYPES = ("invalidFilter", "invalidPath", "invalidValue", "mutability", "noTarget",
                "uniqueness")  # fmt: skip
PROVISIONED = equal("provisioned", True)


def scim_error(error: RefusalError) -> Document:
    """Return a refusal as RFC 7644 (section 3.12) writes it, besides upstream's own form."""
    kind, _, rest = error.message.partition(": ")
    body = {
        "schemas": [f"{MESSAGES}:Error"],
        "status": str(error.status),
        "detail": rest if kind in _ERROR_TYPES else error.message,
    }
    return body | {"scimType": kind} if kind in _ERROR_TYPES else body


def provisioned(call: SandboxCall, kind: str, argument: str) -> Document:
    """Return the user or role that an argument names.

    Raises:
        RefusalError: 404, when there is none, or no identity provider created it.
    """
    document = call.get(kind, argument)
    if not document.get("provisioned"):
        name = argument.removesuffix("Id")
        said = f"{name} {document['id']} was not created over SCIM"
        raise RefusalError(404, said, resource=name)
    return document


def answer_list(call: SandboxCall, resources: Sequence[Mapping[str, Any]]) -> Document:
    """Return the page of a list by the request's filter, startIndex and count.

    Raises:
        RefusalError: 400, when one of them is none.
    """
    asked = dict(parse_qsl(call.query, keep_blank_values=True))
    if "filter" in asked:
        resources = list(filter(filter_of(asked["filter"]), resources))
    start = max(_number(asked, "startIndex", 1), 1)
    count = max(_number(asked, "count", len(resources)), 0)
    shown = resources[start - 1 : start - 1 + count]
    return {
        "schemas": [f"{MESSAGES}:ListResponse"],
        "totalResults": len(resources),
        "startIndex": start,
        "itemsPerPage": len(shown),
        "Resources": shown,
    }


def _number(asked: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(asked.get(name, default))
    except ValueError:
        raise RefusalError(400, f"{name} must be an integer", parameter=name) from None


def user_resource(user: Document) -> Document:
    """Return a user as SCIM shows them."""
    return {
        **user["additionalAttributes"],
        "schemas": [f"{CORE}:User"],
        "id": str(user["id"]),
        "userName": user["email"],
        "displayName": user["name"],
        "active": user["state"] == "active",
        "meta": _meta("User", user),
    }


def group_resource(store: DocumentStore, role: Document) -> Document:
    """Return a role as SCIM shows it."""
    members = members_of(store, role["id"])
    return {
        "schemas": [f"{CORE}:Group"],
        "id": str(role["id"]),
        "displayName": role["name"],
        "members": [{"value": str(user["id"]), "display": user["email"]} for user in members],
        "meta": _meta("Group", role),
    }


def _meta(kind: str, document: Document) -> Document:
    return {
        "resourceType": kind,
        "created": document["created"],
        "lastModified": document["modified"],
        "location": f"{SCIM_PATH}{kind}s/{document['id']}",
    }
