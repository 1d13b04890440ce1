"""Lets a call choose the Application whose Integration API key is used.

Upstream knows the Application by the key, so that no operation of the Integration API takes it as
an argument. Where there are keys of several, somebody has to choose, and that is who calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from talonone_mcp.core.catalog.model import Catalog, Confirm, Operation, Schema

APPLICATION = "applicationId"
_NAMED = 5  # Applications that a definition names; every one costs in every conversation


def with_applications(catalog: Catalog, applications: Sequence[int]) -> Catalog:
    """Return the catalog with `applicationId` as an argument of the Integration API's operations.

    With one Application it is accepted and not listed, because there is nothing to choose; with
    several it is listed and required. Questions to a person say which it is.

    Args:
        catalog: the operations as upstream has them.
        applications: the ids of the Applications that have keys; none leaves all as it is.
    """
    if not applications:
        return catalog
    operations = {
        each.name: _choosing(each, applications) if each.api == "integration" else each
        for each in catalog
    }
    aliases = {alias: operations.get(each.name, each) for alias, each in catalog.aliases.items()}
    return replace(catalog, operations=operations, aliases=aliases)


def _choosing(operation: Operation, applications: Sequence[int]) -> Operation:
    schema: Schema = {"type": "integer"}
    shown = operation.input_schema
    if len(applications) > 1:
        if len(applications) <= _NAMED:
            schema["enum"] = list(applications)
        required = [APPLICATION, *shown.get("required", [])]
        properties = {APPLICATION: schema, **shown["properties"]}
        shown = {**shown, "properties": properties, "required": required}
    return replace(
        operation,
        input_schema=shown,
        reserved={**operation.reserved, APPLICATION: schema},
        confirm=operation.confirm and _naming(operation.confirm, applications[0]),
    )


def _naming(confirm: Confirm, default: int) -> Confirm:
    said = f"This is done with the key of Application {{{APPLICATION}|{default}}}."
    return replace(confirm, ask=f"{confirm.ask.strip()} {said}")
