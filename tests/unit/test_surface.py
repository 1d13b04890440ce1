"""What a client is shown, held still by a snapshot.

When a change of a definition is meant: UPDATE_SNAPSHOTS=1 pytest -n 0 tests/unit/test_surface.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from release.references import tools_page

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.surface.doors import FIND, READ, RUN
from talonone_mcp.surface.server_info import INFO
from talonone_mcp.surface.tool_list import SurfaceError, surface

ACCOUNT = {"TALONONE_BASE_URL": "https://example.invalid"}
KEY_OF = {
    "management": {"TALONONE_MANAGEMENT_KEY": "key"},
    "integration": {"TALONONE_INTEGRATION_KEY": "key"},
    "third_party": {"TALONONE_THIRD_PARTY_KEY": "key", "TALONONE_PLATFORM_NAME": "pendula"},
    "capillary": {
        "CAPILLARY_ACCESS_TOKEN": "key", "CAPILLARY_BASE_URL": "https://example.invalid"
    },
}  # fmt: skip
DOORS = [FIND, READ, RUN]
FIRST = [*DOORS, INFO]  # before any operation
PROFILES = ["support", "marketing", "loyalty", "engineer", "admin"]
ADDING = {  # PUT upstream, but every call adds or takes away once more
    "add_loyalty_points", "deduct_loyalty_points",
    "add_loyalty_card_points", "deduct_loyalty_card_points",
}  # fmt: skip
SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "tools.json"


def shown(catalog: Catalog, **flags: Any) -> list[str]:
    """Return the names that a sandbox with these flags shows."""
    settings = load_settings({"sandbox": True} | flags, {})
    return [tool.name for tool in surface(catalog, settings).tools]


async def listed(catalog: Catalog, mode: str) -> list[dict[str, Any]]:
    settings = load_settings({"sandbox": True, "toolsets": ("all",)}, {})
    async with Client(build_server(settings, catalog), mode=mode) as client:
        tools = (await client.list_tools()).tools
    return [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_definitions_are_those_of_the_snapshot(catalog: Catalog, mode: str) -> None:
    tools = await listed(catalog, mode)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(tools, indent=1, ensure_ascii=False) + "\n", "utf-8")

    assert tools == json.loads(SNAPSHOT.read_text("utf-8"))


@pytest.mark.parametrize("api", list(KEY_OF))
def test_only_configured_apis_are_listed(catalog: Catalog, api: Any) -> None:
    settings = load_settings({"toolsets": ("all",)}, ACCOUNT | KEY_OF[api])
    names = {tool.name for tool in surface(catalog, settings).tools}

    assert names == {INFO, *(tool.name for tool in catalog.tools if api in tool.apis)}


def test_the_hints_are_true_to_the_catalog(catalog: Catalog) -> None:
    settings = load_settings({"sandbox": True, "toolsets": ("all",)}, {})
    info, *operations = surface(catalog, settings).tools
    assert info.annotations is not None
    assert info.annotations.read_only_hint
    for tool in operations:
        called, hints = catalog.find(tool.name), tool.annotations
        assert called is not None
        assert hints is not None
        assert hints.read_only_hint is (called.risk == "read")
        assert hints.destructive_hint is (called.risk == "destructive")
        method = called.method if isinstance(called, Operation) else ""
        once = tool.name in ADDING or method not in ("PUT", "DELETE")
        assert hints.idempotent_hint is (called.risk == "read" or not once)


def test_nothing_of_the_engine_is_shown(catalog: Catalog) -> None:
    shown = json.dumps([tool.input_schema for tool in catalog.tools])

    assert "listed_by" not in shown
    assert "explode" not in shown
    assert '"secret"' not in shown
    assert "$ref" not in shown


def test_the_doors_and_a_few_tools_are_shown_first(catalog: Catalog) -> None:
    names = shown(catalog)

    assert names[:4] == FIRST
    assert set(names[4:]) == set(catalog.profiles["default"].tools)
    assert names == shown(catalog, profile="default")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_shows_the_tools_of_its_job(catalog: Catalog, profile: str) -> None:
    names = shown(catalog, profile=profile)

    assert names[:4] == FIRST
    assert set(names[4:]) == set(catalog.profiles[profile].tools)
    assert len(names[4:]) <= 15


def test_choices_add_up(catalog: Catalog) -> None:
    coupons = {each.name for each in catalog if each.toolset == "coupons"}

    assert set(shown(catalog, toolsets=("coupons",))) == {*FIRST, *coupons}
    assert shown(catalog, tools=("get_applications",)) == [*FIRST, "list_applications"]
    both = shown(catalog, profile="loyalty", toolsets=("coupons",), tools=("list_stores",))
    assert set(both) == {*FIRST, *coupons, *catalog.profiles["loyalty"].tools, "list_stores"}
    assert len(both) == len(set(both))


def test_all_are_shown_without_the_doors(catalog: Catalog) -> None:
    assert shown(catalog, toolsets=("all",)) == [INFO, *(tool.name for tool in catalog.tools)]


def test_a_server_that_only_reads_shows_reads_alone(catalog: Catalog) -> None:
    reads = {each.name for each in catalog.tools if each.risk == "read"}

    assert set(shown(catalog, toolsets=("all",), read_only=True)) == {INFO, *reads}
    for profile in PROFILES:
        assert set(shown(catalog, profile=profile, read_only=True)) <= {FIND, READ, INFO, *reads}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"toolsets": ("coupons", "cupons")}, "--toolsets: .*'cupons'; did you mean coupons?"),
        ({"toolsets": ("x",)}, "--toolsets: .*'x'; .*webhooks"),
        ({"profile": "suport"}, "--profile: .*'suport'; did you mean support?"),
        ({"profile": "x"}, "--profile: .*'x'; .*marketing"),
        ({"tools": ("list_campaings",)}, "--tools: .*; did you mean list_campaigns?"),
        ({"tools": ("x",)}, "--tools: .*docs/tools.md"),
        ({"tools": ("delete_campaign",), "read_only": True}, "--tools: delete_campaign .*read"),
    ],
)
def test_a_choice_that_is_not_there(catalog: Catalog, flags: Any, said: str) -> None:
    with pytest.raises(SurfaceError, match=said):
        shown(catalog, **flags)


@pytest.mark.anyio
async def test_an_alias_is_called_and_not_listed(catalog: Catalog) -> None:
    server = build_server(load_settings({"sandbox": True}, {}), catalog)
    async with Client(server) as client:
        by_alias = await client.call_tool("get_applications", {})
        by_name = await client.call_tool("list_applications", {})

    assert by_alias.structured_content == by_name.structured_content
    assert set(catalog.aliases).isdisjoint(shown(catalog, toolsets=("all",)))


def test_the_reference_has_every_operation_once(catalog: Catalog) -> None:
    written = (Path(__file__).parents[2] / "docs" / "tools.md").read_text("utf-8")

    for operation in catalog:
        assert f"`{operation.method} {operation.path}`" in written
        assert written.count(f"\n| `{operation.name}`") == 1


def risk_of(row: str) -> set[str]:
    """Return the kinds of impact that a row of the reference names."""
    return set(row.split(" | ")[3].split(": ")[1].split(", "))


def test_the_reference_says_what_a_call_may_do(catalog: Catalog) -> None:
    lines = tools_page.operations(catalog)
    rows = {line.split("`")[1]: line for line in lines if "| `" in line}

    assert "| write: gives |" in rows["add_loyalty_points"]
    assert "| destructive: destroys |" in rows["delete_campaign"]
    assert "grants" in risk_of(rows["update_user"])
    assert {"destroys", "prices"} <= risk_of(rows["sync_catalog"])
    assert "| read |" in rows["get_campaign"]
