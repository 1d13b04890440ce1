"""Attributes: the typed custom fields of customers, sessions, coupons and more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from talonone_mcp.sandbox.documents.conditions import among, contains, either, equal
from talonone_mcp.sandbox.documents.document_store import Document, DocumentStore
from talonone_mcp.sandbox.ground.account_facts import ACCOUNT_ID
from talonone_mcp.sandbox.ground.refusals import Flaw, RefusalError
from talonone_mcp.sandbox.ground.timestamps import moment, stamp
from talonone_mcp.sandbox.handling.calls import Handler, Reply, SandboxCall
from talonone_mcp.sandbox.handling.csv_files import rows_of
from talonone_mcp.sandbox.handling.import_records import imported
from talonone_mcp.sandbox.handling.pages import page
from talonone_mcp.sandbox.handling.subscriptions import available_in, check_subscriptions


def check(
    call: SandboxCall,
    entity: str,
    attributes: Mapping[str, Any] | None,
    at: str = "attributes",
    *,
    event_type: str | None = None,
) -> None:
    """Refuse undefined attributes, and values of the wrong type.

    Upstream refuses unknown ones: https://docs.talon.one/docs/dev/concepts/attributes. A null
    takes a value away, so it is of every type.

    Args:
        call: the request.
        entity: what carries them: "CustomerProfile", "CartItem" and so on.
        attributes: names and values; None is none.
        at: the argument that they stand in, deeper ones with slashes: "cartItems/0/attributes".
        event_type: of an Event, which type it has; an attribute may belong to one type alone.

    Raises:
        RefusalError: 400, with a pointer to each that is wrong.
    """
    if not attributes:
        return
    known: dict[str, list[Document]] = {}
    named = among("name", list(attributes))
    for each in call.store.select("attributes", equal("entity", entity), named):
        if event_type is None or each.get("eventType") in (None, "", event_type):
            known.setdefault(each["name"], []).append(each)
    flaws = [
        Flaw(f"attribute {name} of {entity} {problem}", {"pointer": f"/{at}/{name}"})
        for name, value in attributes.items()
        if (problem := _problem(call, known.get(name, []), value))
    ]
    if flaws:
        raise RefusalError.of(400, flaws)


def _problem(call: SandboxCall, definitions: list[Document], value: Any) -> str | None:
    """Return what is wrong with a value by every definition of its attribute."""
    if not definitions:
        return "does not exist"
    problems = [_problem_with(call, each, value) for each in definitions]
    return None if None in problems else problems[0]


def _problem_with(call: SandboxCall, attribute: Document, value: Any) -> str | None:
    application = call.application_id or call.arguments.get("applicationId")
    subscribed = attribute.get("subscribedApplicationsIds")
    if subscribed and application is not None and application not in subscribed:
        return f"is not available in Application {application}"
    if value is None:
        return None
    if not of_type(attribute["type"], value):
        return f"must be of type {attribute['type']}"
    if attribute["restrictedBySuggestions"]:
        items = value if isinstance(value, list) else [value]
        if not all(_is_allowed(call.store, attribute, item) for item in items):
            return "must be one of its allowed values"
    return None


def of_type(kind: str, value: Any) -> bool:
    """Return whether a value is of an attribute's type, which may be a list: "(list string)"."""
    if kind.startswith("(list "):
        one = kind.removeprefix("(list ").removesuffix(")")
        return isinstance(value, list) and all(_SCALARS[one](item) for item in value)
    return _SCALARS[kind](value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and "T" in value.upper() and bool(moment(value))
    except ValueError:
        return False


def _is_location(value: Any) -> bool:
    """Return whether a value is a pair of coordinates, as a list or an object."""
    pair = list(value.values()) if isinstance(value, dict) else value
    return isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))  # noqa: PLR2004


_SCALARS: Mapping[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "time": _is_time,
    "location": _is_location,
}


def _is_allowed(store: DocumentStore, attribute: Document, value: Any) -> bool:
    text = value if isinstance(value, str) else json.dumps(value)
    if attribute["hasAllowedList"]:
        return store.find("attribute_values", _value_label(attribute["id"], text)) is not None
    return text in attribute["suggestions"]


def _value_label(attribute: int, value: str) -> str:
    return f"{attribute}/{value}"


def list_attributes(call: SandboxCall) -> Reply:
    asked = call.arguments
    word = asked.get("search")
    return 200, page(
        call,
        "attributes",
        equal("entity", asked.get("entity")),
        equal("type", asked.get("type")),
        equal("kind", asked.get("kind")),
        available_in("subscribedApplicationsIds", asked.get("applicationIds")),
        either(*(contains(field, word) for field in ("name", "description", "type"))),
        total=True,
        present=_present,
    )


def _present(attribute: Document) -> Document:
    return {key: value for key, value in attribute.items() if key != "kind"}


def get_attribute(call: SandboxCall) -> Reply:
    return 200, _present(call.get("attributes", "attributeId"))


def create_attribute(call: SandboxCall) -> Reply:
    attribute = attribute_of(call.body, stamp(call.now))
    _check_settings(call.store, attribute)
    return 201, _present(call.store.add("attributes", attribute))


def attribute_of(settings: Mapping[str, Any], created: str) -> Document:
    """Return an attribute as it is stored: the request's values over the defaults."""
    return {
        "created": created,
        "accountId": ACCOUNT_ID,
        "hasAllowedList": False,
        "restrictedBySuggestions": False,
        "subscribedApplicationsIds": [],
        "subscribedCatalogsIds": [],
        "kind": "custom",
        **settings,
    }


def _check_settings(store: DocumentStore, attribute: Document) -> None:
    entity, event_type = attribute["entity"], attribute.get("eventType")
    alike = [equal("entity", entity), equal("eventType", event_type)]
    for field in ("name", "title"):
        if store.count("attributes", *alike, equal(field, attribute[field])):
            said = f"{entity} has an attribute with the {field} {attribute[field]} already"
            raise RefusalError(400, said, pointer=f"/{field}")
    if event_type and entity != "Event":
        raise RefusalError(400, "eventType is for entity Event", pointer="/eventType")
    check_subscriptions(store, attribute["subscribedApplicationsIds"])


def update_attribute(call: SandboxCall) -> Reply:
    attribute = call.get("attributes", "attributeId")
    for name, value in call.body.items():
        if name != "description" and value != attribute.get(name, value):
            said = f"{name} cannot be changed, only the description"
            raise RefusalError(400, said, pointer=f"/{name}")
    changed = attribute | {"description": call.arguments["description"]}
    return 200, _present(call.store.replace("attributes", changed))


def import_attribute_values(call: SandboxCall) -> Reply:
    attribute = call.get("attributes", "attributeId")
    values = dict.fromkeys(_values(call.arguments["csv"], call.limits.attribute_values))
    call.store.delete_where("attribute_values", parent=attribute["id"])
    first = call.store.next_id("attribute_values")
    call.store.add_all(
        "attribute_values",
        (
            ({"id": number, "value": value}, attribute["id"], _value_label(attribute["id"], value))
            for number, value in enumerate(values, first)
        ),
    )
    call.store.replace("attributes", attribute | {"hasAllowedList": True})
    return 200, imported(call, "AttributeAllowedList", len(values))


def _values(text: str, most: int) -> Iterator[str]:
    for count, (line, row) in enumerate(rows_of(text, ["item"]), 1):
        if not row["item"].strip():
            raise RefusalError(400, "the item is empty", line=str(line))
        if count > most:
            raise RefusalError(400, f"more than {most:,} items", line=str(line))
        yield row["item"]


HANDLERS: Mapping[str, Handler] = {
    "list_attributes": list_attributes,
    "create_attribute": create_attribute,
    "get_attribute": get_attribute,
    "update_attribute": update_attribute,
    "import_attribute_values": import_attribute_values,
}
