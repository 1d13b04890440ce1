"""What the definitions may cost a model, as `bench/tokens.py` prints it."""

from __future__ import annotations

from bench.tokens import ALL, exceeded, tokens

from talonone_mcp.catalog import Catalog
from talonone_mcp.surface import listed_tools


def test_the_definitions_keep_their_budgets(catalog: Catalog) -> None:
    apis = {operation.api for operation in catalog}
    tools = [
        tool.model_dump(by_alias=True, exclude_none=True) for tool in listed_tools(catalog, apis)
    ]

    assert len(tools) == 234
    assert exceeded(tools) == []


def test_a_definition_that_is_too_long_is_found() -> None:
    tool = {"name": "a_tool", "description": "word " * 1300}

    assert exceeded([tool]) == [f"a_tool: {tokens(tool):,} tokens, at most 1,200"]
    assert exceeded([tool | {"name": "sync_catalog"}]) == []
    assert exceeded([tool] * 40)[0].startswith("all tools: ")
    assert ALL == 47_000
