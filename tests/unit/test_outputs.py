"""What a server says of its answers: their schemas, and how long they may be kept."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.surface.tool_list import surface
from tests.contract.facts import example_arguments, load_facts
from tests.upstream import Upstream

pytestmark = pytest.mark.anyio
FACTS = {fact["tool"]: fact for fact in load_facts()}
WITH_SCHEMAS: dict[str, Any] = {"toolsets": ("all",), "output_schemas": True}


def test_the_schemas_are_listed_on_request(catalog: Catalog) -> None:
    usual = surface(catalog, load_settings({"sandbox": True, "toolsets": ("all",)}, {}))
    asked = surface(catalog, load_settings({"sandbox": True} | WITH_SCHEMAS, {}))

    assert {tool.output_schema for tool in usual.tools} == {None}
    assert len(asked.tools) == len(catalog.tools) + 1  # server_info
    for tool in asked.tools:
        assert tool.output_schema is not None
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.output_schema["type"] == "object"
        assert "required" not in tool.output_schema


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_answers_are_as_their_schemas_say(
    catalog: Catalog, upstream: Upstream, mode: str
) -> None:
    """The client checks each answer against the schema, and fails when it does not fit."""
    settings = load_settings(WITH_SCHEMAS, upstream.environment)
    succeeded = 0
    async with Client(build_server(settings, catalog), mode=mode) as client:
        await client.list_tools()
        for operation in catalog:
            if operation.risk == "read":
                arguments = example_arguments(FACTS[operation.name], operation)
                for shown in ({}, {"fields": ["*"]} if "fields" in operation.reserved else {}):
                    result = await client.call_tool(operation.name, {**arguments, **shown})
                    succeeded += not result.is_error

    assert succeeded > 150


async def test_an_answer_that_does_not_fit_is_noticed(catalog: Catalog) -> None:
    settings = load_settings({"sandbox": True} | WITH_SCHEMAS, {})
    schemas = {tool.name: tool.output_schema for tool in surface(catalog, settings).tools}
    validator = Draft202012Validator(schemas["get_campaign"] or {})

    assert validator.is_valid({"id": 1, "name": "Spring"})
    assert not validator.is_valid({"id": "one"})


async def test_lists_may_be_kept_and_what_changes_may_not(
    catalog: Catalog, upstream: Upstream
) -> None:
    settings = load_settings({}, upstream.environment)
    async with Client(build_server(settings, catalog)) as client:
        tools = await client.list_tools()
        prompts = await client.list_prompts()
        templates = await client.list_resource_templates()
        resources = await client.list_resources()

    for kept in (tools, prompts, templates):
        assert (kept.ttl_ms, kept.cache_scope) == (3_600_000, "public")
    assert (resources.ttl_ms, resources.cache_scope) == (0, "private")


async def test_a_profile_has_the_prompts_of_its_job(catalog: Catalog, upstream: Upstream) -> None:
    shown = {}
    for profile in ("support", "admin"):
        settings = load_settings({"profile": profile}, upstream.environment)
        async with Client(build_server(settings, catalog)) as client:
            shown[profile] = {each.name for each in (await client.list_prompts()).prompts}

    for profile, names in shown.items():
        assert names == set(catalog.profiles[profile].prompts)
    assert shown["support"] != shown["admin"]
