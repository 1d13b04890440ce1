"""What the definitions may cost a model, as `bench/tokens.py` prints it."""

from __future__ import annotations

from typing import Any

import pytest
from bench.tokens import ALL, exceeded, tokens

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import INSTRUCTIONS
from talonone_mcp.surface.tool_list import surface


def definitions(catalog: Catalog, **flags: Any) -> list[dict[str, Any]]:
    tools = surface(catalog, load_settings({"sandbox": True} | flags, {})).tools
    return [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]


def test_the_definitions_keep_their_budgets(catalog: Catalog) -> None:
    tools = definitions(catalog, toolsets=("all",))

    assert len(tools) == 234 + len(catalog.workflows) + 1  # server_info
    assert exceeded(tools) == []


def test_the_default_surface_keeps_its_budget(catalog: Catalog) -> None:
    assert tokens({"tools": definitions(catalog)}) <= 4_000
    assert tokens(INSTRUCTIONS) <= 250


@pytest.mark.parametrize("profile", ["support", "marketing", "loyalty", "engineer", "admin"])
def test_a_profile_keeps_its_budget(catalog: Catalog, profile: str) -> None:
    assert tokens({"tools": definitions(catalog, profile=profile)}) <= 5_000


def test_a_definition_that_is_too_long_is_found() -> None:
    tool = {"name": "a_tool", "description": "word " * 1300}

    assert exceeded([tool]) == [f"a_tool: {tokens(tool):,} tokens, at most 1,200"]
    assert exceeded([tool | {"name": "sync_catalog"}]) == []
    assert exceeded([tool] * 40)[0].startswith("all operations: ")
    assert ALL == 47_000
