"""Chooses from the catalog the reads that show what a key may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.catalog.application_keys import APPLICATION
from talonone_mcp.core.catalog.model import Api

NOBODY = "talonone-mcp-doctor"  # an identifier that no customer, session or coupon has
NO_ID = 1  # likewise a number, for when no list offers one
_MAX_READS = 3  # of a toolset, until one is allowed
PAGE = "pageSize"


def probes(catalog: Catalog, toolset: str, api: Api) -> tuple[Operation, ...]:
    """Return the cheapest reads of a toolset: fewest arguments first, lists before the rest."""
    members = (each for each in _reads(catalog, api) if each.toolset == toolset)
    return tuple(sorted(members, key=_price)[:_MAX_READS])


def first_of(catalog: Catalog, api: Api) -> tuple[Operation, ...]:
    """Return the reads to begin with: the cheapest whose answers most other reads need."""
    needed = Counter(
        lister
        for operation in catalog.operations.values()
        for lister in (operation.listed_by or {}).values()
    )
    cheap = sorted(_reads(catalog, api), key=lambda each: (_needs(each), -needed[each.name]))
    return tuple(cheap[:2])


def why_none(catalog: Catalog, toolset: str) -> str:
    """Say why a toolset has no probes."""
    members = [each for each in catalog.operations.values() if each.toolset == toolset]
    if any(each.risk == "read" for each in members):
        return "no read but exports, which are large"
    return "no read, and nothing is written to find out"


def arguments(operation: Operation, sample_ids: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the arguments of a probe: what it requires, and a page size of one.

    Args:
        operation: a read.
        sample_ids: values by argument; others are made up if no operation lists them.

    Returns:
        None if a value is unknown that cannot be made up.
    """
    properties = operation.input_schema["properties"]
    values: dict[str, Any] = {}
    for name in _required(operation):
        value = sample_ids.get(name)
        if value is None and name not in (operation.listed_by or {}):
            value = _made_up(properties[name])
        if value is None:
            return None
        values[name] = value
    if APPLICATION in operation.reserved and APPLICATION in sample_ids:
        values[APPLICATION] = sample_ids[APPLICATION]
    return values | ({PAGE: 1} if PAGE in properties else {})


def listers(operation: Operation) -> Mapping[str, str]:
    """Return by argument the operations that list the values which a read requires."""
    listed = operation.listed_by or {}
    return {name: listed[name] for name in _required(operation) if name in listed}


def value_in(answer: object, argument: str) -> Any:
    """Return the value of an argument in the first item of a list; None if there is none."""
    items = answer.get("data") if isinstance(answer, dict) else None
    item = items[0] if isinstance(items, list) and items else None
    if not isinstance(item, dict):
        return None
    return item.get(argument, item.get("id"))


def _reads(catalog: Catalog, api: Api) -> list[Operation]:
    return [
        each
        for each in catalog.operations.values()
        if each.api == api
        and each.risk == "read"
        and each.answer == "json"
        and each.status == "current"
    ]


def _price(operation: Operation) -> tuple[int, bool, bool]:
    is_list = PAGE in operation.input_schema["properties"] or operation.name.startswith("list_")
    return _needs(operation), not is_list, operation.method != "GET"


def _needs(operation: Operation) -> int:
    return len(_required(operation))


def _required(operation: Operation) -> list[str]:
    required: list[str] = operation.input_schema.get("required", [])
    return required


def _made_up(schema: Mapping[str, Any]) -> Any:
    if values := schema.get("enum"):
        return values[0]
    is_text = schema.get("type") == "string" and "format" not in schema and "pattern" not in schema
    return NOBODY if is_text else None
