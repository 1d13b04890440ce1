"""What a client is shown, held still by a snapshot.

When a change of a definition is meant: UPDATE_SNAPSHOTS=1 pytest tests/unit/test_surface.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from talonone_mcp.app import build_server
from talonone_mcp.catalog import Catalog
from talonone_mcp.docs import reference
from talonone_mcp.settings import load_settings
from talonone_mcp.surface import SurfaceError, listed_tools

ALL: Any = {"management", "integration", "third_party", "capillary"}
ADDING = {  # PUT upstream, but every call adds or takes away once more
    "add_loyalty_points", "deduct_loyalty_points",
    "add_loyalty_card_points", "deduct_loyalty_card_points",
}  # fmt: skip
SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "tools.json"


async def listed(catalog: Catalog, mode: str) -> list[dict[str, Any]]:
    server = build_server(load_settings({"sandbox": True}, {}), catalog)
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
    return [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_definitions_are_those_of_the_snapshot(catalog: Catalog, mode: str) -> None:
    tools = await listed(catalog, mode)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(tools, indent=1, ensure_ascii=False) + "\n", "utf-8")

    assert tools == json.loads(SNAPSHOT.read_text("utf-8"))


@pytest.mark.parametrize("api", ["management", "integration", "third_party", "capillary"])
def test_only_configured_apis_are_listed(catalog: Catalog, api: Any) -> None:
    names = {tool.name for tool in listed_tools(catalog, {api})}

    assert names == {operation.name for operation in catalog if operation.api == api}


def test_the_hints_are_true_to_the_catalog(catalog: Catalog) -> None:
    for tool in listed_tools(catalog, ALL):
        operation, hints = catalog.operations[tool.name], tool.annotations
        assert hints is not None
        assert hints.read_only_hint is (operation.risk == "read")
        assert hints.destructive_hint is (operation.risk == "destructive")
        once = tool.name in ADDING or operation.method not in ("PUT", "DELETE")
        assert hints.idempotent_hint is (operation.risk == "read" or not once)


def test_nothing_of_the_engine_is_shown(catalog: Catalog) -> None:
    shown = json.dumps([operation.input_schema for operation in catalog])

    assert "listed_by" not in shown
    assert "explode" not in shown
    assert '"secret"' not in shown
    assert "$ref" not in shown


def test_a_choice_of_toolsets(catalog: Catalog) -> None:
    tools = listed_tools(catalog, ALL, ["coupons", "webhooks"])

    assert {catalog.operations[tool.name].toolset for tool in tools} == {"coupons", "webhooks"}
    assert len(tools) == 19


@pytest.mark.parametrize(("name", "said"), [("cupons", "did you mean coupons?"), ("x", "webhooks")])
def test_a_toolset_that_is_not_there(catalog: Catalog, name: str, said: str) -> None:
    with pytest.raises(SurfaceError, match=f"'{name}'.*{said}"):
        listed_tools(catalog, ALL, ["coupons", name])


@pytest.mark.anyio
async def test_an_alias_is_called_and_not_listed(catalog: Catalog) -> None:
    server = build_server(load_settings({"sandbox": True}, {}), catalog)
    async with Client(server) as client:
        by_alias = await client.call_tool("get_applications", {})
        by_name = await client.call_tool("list_applications", {})

    assert by_alias.structured_content == by_name.structured_content
    assert set(catalog.aliases) & {tool.name for tool in listed_tools(catalog, ALL)} == set()


def test_the_reference_is_that_of_the_catalog(catalog: Catalog) -> None:
    """When it is stale: python -m talonone_mcp.docs > docs/tools.md."""
    written = (Path(__file__).parents[2] / "docs" / "tools.md").read_text("utf-8")

    assert written == reference(catalog)
    for operation in catalog:
        assert f"`{operation.method} {operation.path}`" in written
        assert written.count(f"| `{operation.name}`") == 1


def test_the_reference_says_when_a_person_is_asked(catalog: Catalog) -> None:
    rows = {row.split("`")[1]: row for row in reference(catalog).splitlines() if "| `" in row}

    assert "| write, confirmed when points is above 1,000 |" in rows["add_loyalty_points"]
    assert "| destructive, confirmed |" in rows["delete_campaign"]
    asked = "confirmed when state is deactivated or isAdmin is given or roles is given"
    assert asked in rows["update_user"]
    assert "an item whose type is REMOVE or REMOVE_MANY" in rows["sync_catalog"]
    assert "| read |" in rows["get_campaign"]
