"""Let a call choose the Application whose Integration API key it uses.

Upstream derives the Application from the key, so no Integration API operation takes it as an
argument. With keys for several Applications, the caller has to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from talonone_mcp.core.catalog.model import Catalog, Operation, Schema

APPLICATION = "applicationId"
_MAX_LISTED = 5  # Applications listed in a schema; each costs tokens in every conversation


def with_applications(catalog: Catalog, applications: Sequence[int]) -> Catalog:
    """Return the catalog with `applicationId` as an argument of the Integration API's operations.

    With one Application, the argument is accepted but not listed, since there is nothing to choose.
    With several, it is listed and required. Questions name the Application.

    Args:
        catalog: the operations as upstream defines them.
        applications: the ids of the Applications that have keys; without any, nothing changes.
    """
    if not applications:
        return catalog
    operations = {
        each.name: _with_application(each, applications) if each.api == "integration" else each
        for each in catalog
    }
    aliases = {alias: operations.get(each.name, each) for alias, each in catalog.aliases.items()}
    return replace(catalog, operations=operations, aliases=aliases)


def _with_application(operation: Operation, applications: Sequence[int]) -> Operation:
    schema: Schema = {"type": "integer"}
    listed = operation.input_schema
    if len(applications) > 1:
        if len(applications) <= _MAX_LISTED:
            schema["enum"] = list(applications)
        required = [APPLICATION, *listed.get("required", [])]
        properties = {APPLICATION: schema, **listed["properties"]}
        listed = {**listed, "properties": properties, "required": required}
    return replace(
        operation,
        input_schema=listed,
        reserved={**operation.reserved, APPLICATION: {**schema, "default": applications[0]}},
    )
