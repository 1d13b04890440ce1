"""An entry that contradicts itself, or another one, is named when the catalog is compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from talonone_mcp.core.catalog import Catalog, CatalogError
from talonone_mcp.core.catalog.compiler import compile_catalog

SHARED = {"id": {"type": "integer", "listed_by": "list_things"}, "date": {"type": "string"}}
LIST = {"name": "list_things", "title": "List", "http": "GET /v1/things",
        "description": "List things.", "risk": "read",
        "query": {"ids": {"type": "array", "items": {"$ref": "id"}, "explode": False}}}  # fmt: skip
GET = {"name": "get_thing", "title": "Get", "http": "GET /v1/things/{id}",
       "description": "Get a thing.", "risk": "read", "path": {"id": {"$ref": "id"}}}  # fmt: skip


def compiled(folder: Path, *tools: dict[str, Any]) -> Catalog:
    document = {"toolset": "things", "title": "Things", "description": "All.", "api": "management"}
    (folder / "_shared.yaml").write_text(yaml.safe_dump(SHARED))
    (folder / "things.yaml").write_text(yaml.safe_dump(document | {"tools": list(tools)}))
    return Catalog.from_compiled(compile_catalog(folder))


def test_a_reference_is_resolved_and_what_the_engine_keeps_is_taken_out(tmp_path: Path) -> None:
    catalog = compiled(tmp_path, LIST, GET)

    get = catalog.operations["get_thing"]
    assert get.input_schema["properties"] == {"id": {"type": "integer"}}
    assert get.listed_by == {"id": "list_things"}
    assert get.path_arguments == ("id",)
    listing = catalog.operations["list_things"]
    assert listing.joined == ("ids",)
    assert listing.input_schema["properties"]["ids"] == {
        "type": "array",
        "items": {"type": "integer"},
    }


def test_keys_beside_a_reference_are_laid_over_it(tmp_path: Path) -> None:
    get = GET | {"path": {"id": {"$ref": "id", "minimum": 1}}}

    catalog = compiled(tmp_path, LIST, get)

    properties = catalog.operations["get_thing"].input_schema["properties"]
    assert properties == {"id": {"type": "integer", "minimum": 1}}


def test_objects_are_closed_at_every_depth_unless_they_are_maps(tmp_path: Path) -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = {"properties": {"inner": inner, "map": {"type": "object"}}}
    write = GET | {"name": "make", "risk": "write", "check": "get_thing", "body": body}

    properties = compiled(tmp_path, LIST, GET, write).operations["make"].input_schema["properties"]

    assert properties["inner"]["additionalProperties"] is False
    assert properties["map"] == {"type": "object"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"path": {"id": {"$ref": "nothing"}}}, "_shared.yaml has no nothing"),
        ({"path": {}}, "placeholders"),
        ({"path": {"id": {"$ref": "id"}, "extra": {"type": "string"}}}, "placeholders"),
        ({"query": {"id": {"type": "string"}}}, "id is defined twice"),
        ({"required": ["nothing"]}, "requires unknown"),
        ({"name": "list_things"}, "list_things is defined twice"),
        ({"check": "nothing"}, "refers to nothing"),
        ({"before": {"read": "nothing"}}, "refers to nothing"),
        ({"constraints": [{"order": ["start", "end"]}]}, "a constraint names unknown start"),
        ({"constraints": [{"$ref": "nothing"}]}, "_shared.yaml has no nothing"),
        ({"aliases": ["list_things"]}, "get_thing: the alias list_things is taken"),
        ({"aliases": ["fetch_thing", "fetch_thing"]}, "the alias fetch_thing is taken"),
        ({"before": {"read": "list_things", "given": {"no": 1}}},
         r"get_thing: list_things takes no \['no'\]"),
        ({"before": {"read": "list_things", "pick": "no"}}, "get_thing picks by unknown no"),
    ],
)  # fmt: skip
def test_a_contradiction_is_named(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(CatalogError, match=named):
        compiled(tmp_path, LIST, GET | change)


def test_what_shows_the_state_before_must_be_a_read(tmp_path: Path) -> None:
    write = GET | {"name": "write_it", "risk": "write", "check": "get_thing"}
    guarded = write | {"name": "guarded", "before": {"read": "write_it"}}
    with pytest.raises(CatalogError, match="write_it, which is not a read"):
        compiled(tmp_path, LIST, GET, write, guarded)


def test_the_read_before_takes_its_arguments_from_the_call(tmp_path: Path) -> None:
    clear = {**LIST, "name": "clear", "risk": "write", "check": "get_thing",
             "before": {"read": "get_thing"}}  # fmt: skip
    with pytest.raises(CatalogError, match=r"clear cannot read what it changes without \{'id'\}"):
        compiled(tmp_path, LIST, GET, clear)


@pytest.mark.parametrize("text", ["tools: [", "tools: []", "- a list", "toolset: x\ntools: [5]"])
def test_a_file_that_is_no_toolset_is_named(tmp_path: Path, text: str) -> None:
    compiled(tmp_path, LIST, GET)
    (tmp_path / "broken.yaml").write_text(text)
    with pytest.raises(CatalogError, match=r"broken\.yaml"):
        compile_catalog(tmp_path)


def test_the_read_before_may_be_given_what_the_call_calls_otherwise(tmp_path: Path) -> None:
    before = {"read": "get_thing", "given": {"id": "{thing}"}, "now": {"state": "state"}}
    clear = {**LIST, "name": "clear", "risk": "write", "check": "get_thing",
             "query": {"thing": {"type": "integer"}}, "before": before}  # fmt: skip

    operation = compiled(tmp_path, LIST, GET, clear).operations["clear"]

    assert operation.before is not None
    assert operation.before.given == {"id": "{thing}"}
    assert operation.before.now == {"state": "state"}
    assert operation.reserved == {}


def test_a_call_may_name_what_only_the_read_before_takes(tmp_path: Path) -> None:
    listing = LIST | {"query": {"code": {"type": "string"}}}
    before = {"read": "list_things", "given": {"code": "{code}"}, "pick": "id"}
    change = GET | {"name": "change", "risk": "write", "check": "get_thing", "before": before}

    operation = compiled(tmp_path, listing, GET, change).operations["change"]

    assert operation.reserved == {"code": {"type": "string", "minLength": 1}}
    assert "code" not in operation.input_schema["properties"]


def replacing(**replaces: Any) -> dict[str, Any]:
    body = {"required": ["name"], "properties": {"name": {"type": "string"}}}
    return GET | {"name": "change", "risk": "write", "check": "get_thing", "body": body,
                  "replaces": replaces}  # fmt: skip


def test_an_update_need_not_name_what_upstream_requires(tmp_path: Path) -> None:
    update = replacing() | {"before": {"read": "get_thing"}}

    operation = compiled(tmp_path, LIST, GET, update).operations["change"]

    assert operation.input_schema["required"] == ["id"]
    assert operation.sent_schema["required"] == ["id", "name"]
    assert operation.replaces is not None
    assert (operation.replaces.fields, operation.replaces.required) == (("name",), ("name",))


def test_an_update_replaces_what_it_reads_before(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="change replaces what it does not read before"):
        compiled(tmp_path, LIST, GET, replacing())
    assert compiled(tmp_path, LIST, GET, replacing(blind=["name"])).operations["change"].replaces


@pytest.mark.parametrize("key", ["blind", "renamed"])
def test_an_update_replaces_only_its_own_fields(tmp_path: Path, key: str) -> None:
    update = replacing(**{key: ["nothing"] if key == "blind" else {"nothing": "name"}})
    with pytest.raises(CatalogError, match=r"change replaces unknown \['nothing'\]"):
        compiled(tmp_path, LIST, GET, update | {"before": {"read": "get_thing"}})


@pytest.mark.parametrize(
    ("status", "instead", "clause"),
    [
        ("deprecated", "list_things", "Get a thing. Deprecated: use list_things."),
        ("removed", "ask for it", "Get a thing. Removed from newer deployments: ask for it."),
    ],
)
def test_what_is_outdated_says_so(tmp_path: Path, status: str, instead: str, clause: str) -> None:
    catalog = compiled(tmp_path, LIST, GET | {"status": status, "instead": instead})

    assert catalog.operations["get_thing"].description == clause


def test_names_of_properties_may_be_those_of_the_engines_keys(tmp_path: Path) -> None:
    names = ("secret", "listed_by", "explode", "as", "dotted")
    inner = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    write = GET | {"name": "make", "risk": "write", "check": "get_thing",
                   "body": {"properties": {"inner": inner}}}  # fmt: skip

    schema = compiled(tmp_path, LIST, GET, write).operations["make"].input_schema

    assert set(schema["properties"]["inner"]["properties"]) == set(names)


def test_an_import_has_its_columns_in_words(tmp_path: Path) -> None:
    columns = {"one_of": ["card", "customer"], "required": ["amount"], "optional": ["reason"]}
    body = {"file": "upFile", "columns": columns}
    load = GET | {"name": "load", "risk": "write", "check": "get_thing", "body": body}

    operation = compiled(tmp_path, LIST, GET, load).operations["load"]

    assert operation.input_schema["required"] == ["id"]
    said = operation.input_schema["properties"]["csv"]["description"]
    assert said == "CSV text. Columns: card or customer, amount; optional reason."
    assert operation.body is not None
    assert operation.body.columns is not None
    assert operation.body.columns.all == ("card", "customer", "amount", "reason")
