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
from talonone_mcp.settings import load_settings
from talonone_mcp.surface import listed_tools

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


@pytest.mark.parametrize("api", ["management", "integration"])
def test_only_configured_apis_are_listed(catalog: Catalog, api: Any) -> None:
    names = {tool.name for tool in listed_tools(catalog, {api})}

    assert names == {operation.name for operation in catalog if operation.api == api}


def test_the_hints_are_true_to_the_catalog(catalog: Catalog) -> None:
    for tool in listed_tools(catalog, {"management", "integration"}):
        operation, hints = catalog.operations[tool.name], tool.annotations
        assert hints is not None
        assert hints.read_only_hint is (operation.risk == "read")
        assert hints.destructive_hint is (operation.risk == "destructive")
        repeatable = operation.risk == "read" or operation.method in ("PUT", "DELETE")
        assert hints.idempotent_hint is repeatable


def test_nothing_of_the_engine_is_shown(catalog: Catalog) -> None:
    shown = json.dumps([operation.input_schema for operation in catalog])

    assert "listed_by" not in shown
    assert "explode" not in shown
    assert "$ref" not in shown
