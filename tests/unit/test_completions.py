"""What a person enters is completed from the account, if that answers soon enough."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pytest
from mcp import Client, MCPError, types

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server import prompts
from talonone_mcp.server.app import build_server
from talonone_mcp.server.completions import KIND_OF_VARIABLE, LISTINGS
from talonone_mcp.server.prompts import Argument, Prompt
from talonone_mcp.server.setup import ServerLimits
from tests.desk import open_desk
from tests.lists import LongList
from tests.upstream import serve

pytestmark = pytest.mark.anyio
both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])
CAMPAIGN = "talonone://applications/{applicationId}/campaigns/{campaignId}"
RULESET = f"{CAMPAIGN}/rulesets/{{rulesetId}}"
PROGRAM = "talonone://loyalty-programs/{loyaltyProgramId}"
TOOLSET = "talonone://catalog/{toolset}"
IN_42 = {"applicationId": "42"}
FORM = Prompt(
    name="form",
    title="A form",
    description="With a field of each kind.",
    arguments=[
        *(Argument(kind, "", complete=kind) for kind in (
            "application", "campaign", "loyalty_program", "toolset", "coupon", "customer")),
        Argument("mood", "", values=("Cheerful", "calm", "as they are")),
        Argument("free", ""),
    ],
    tools=[],
    template="x",
)  # fmt: skip
open_form = partial(open_desk, prompts={"form": FORM})


async def of_template(
    client: Client, uri: str, name: str, typed: str, context: dict[str, str] | None = None
) -> types.Completion:
    ref = types.ResourceTemplateReference(uri=uri)
    return (await client.complete(ref, {"name": name, "value": typed}, context)).completion


async def of_prompt(
    client: Client, name: str, typed: str, context: dict[str, str] | None = None
) -> types.Completion:
    ref = types.PromptReference(name="form")
    return (await client.complete(ref, {"name": name, "value": typed}, context)).completion


@both_eras
@pytest.mark.parametrize(
    ("place", "typed", "context", "values"),
    [
        ((CAMPAIGN, "applicationId"), "", None, ["42", "43"]),
        ((CAMPAIGN, "applicationId"), "42", None, ["42"]),
        ((CAMPAIGN, "applicationId"), "4", None, ["42", "43"]),
        ((CAMPAIGN, "applicationId"), "2", None, []),
        ((CAMPAIGN, "applicationId"), "WEB", None, ["42", "43"]),
        ((CAMPAIGN, "applicationId"), "us", None, ["43"]),
        ((CAMPAIGN, "applicationId"), "us webshop", None, ["43"]),
        ((CAMPAIGN, "applicationId"), "shop", None, []),
        ((CAMPAIGN, "applicationId"), " us ", None, ["43"]),
        ((CAMPAIGN, "campaignId"), "s", IN_42, ["23", "22", "21", "18", "20"]),
        ((CAMPAIGN, "campaignId"), "summer", IN_42, ["18"]),
        ((CAMPAIGN, "campaignId"), "s", None, []),
        ((CAMPAIGN, "campaignId"), "s", {"applicationId": "x"}, []),
        ((RULESET, "rulesetId"), "", IN_42 | {"campaignId": "18"}, ["118"]),
        ((RULESET, "rulesetId"), "", IN_42, []),
        ((PROGRAM, "loyaltyProgramId"), "fam", None, ["7"]),
        ((TOOLSET, "toolset"), "loy", None, ["loyalty", "loyalty_cards"]),
        ((TOOLSET, "toolset"), "cards", None, ["loyalty_cards"]),
        (("talonone://applications{?skip}", "skip"), "", None, []),
        (("talonone://catalog/coupons", "toolset"), "coup", None, ["coupons"]),
    ],
)  # fmt: skip
async def test_a_variable_of_a_template_is_completed_with_ids(  # noqa: PLR0913, PLR0917 - the table's columns
    catalog: Catalog,
    mode: str,
    place: tuple[str, str],
    typed: str,
    context: dict[str, str] | None,
    values: list[str],
) -> None:
    async with open_form(catalog, mode=mode) as desk:
        found = await of_template(desk.client, *place, typed, context)

    assert sorted(found.values) == sorted(values)
    assert (found.total, found.has_more) == (len(values), False)


@both_eras
@pytest.mark.parametrize(
    ("name", "typed", "context", "values"),
    [
        ("application", "web", None, ["Webshop DE (id 42)", "Webshop US (id 43)"]),
        ("application", "43", None, ["Webshop US (id 43)"]),
        ("application", "Webshop US (id 4", None, ["Webshop US (id 43)"]),
        ("application", "Webshop US (id 43)", None, ["Webshop US (id 43)"]),
        ("campaign", "wel", {"application": "Webshop DE (id 42)"}, ["Welcome back (id 19)"]),
        ("campaign", "wel", {"application": "42"}, ["Welcome back (id 19)"]),
        ("campaign", "wel", {"application": "Webshop DE"}, ["Welcome back (id 19)"]),
        ("campaign", "wel", {"application": "webshop de"}, ["Welcome back (id 19)"]),
        ("campaign", "wel", {"application": "Webshop"}, []),
        ("campaign", "wel", {"other": "42"}, []),
        ("loyalty_program", "tal", None, ["Talon Rewards (id 5)"]),
        ("toolset", "coup", None, ["coupons"]),
        ("mood", "C", None, ["Cheerful", "calm"]),
        ("mood", "they", None, ["as they are"]),
        ("customer", "anna", {"application": "42"}, []),
        ("free", "x", None, []),
    ],
)  # fmt: skip
async def test_an_argument_of_a_prompt_is_completed_with_names(  # noqa: PLR0913, PLR0917 - the table's columns
    catalog: Catalog,
    mode: str,
    name: str,
    typed: str,
    context: dict[str, str] | None,
    values: list[str],
) -> None:
    async with open_form(catalog, mode=mode) as desk:
        found = await of_prompt(desk.client, name, typed, context)

    assert (found.values, found.total, found.has_more) == (values, len(values), False)


async def test_what_begins_like_it_comes_first(catalog: Catalog) -> None:
    async with open_form(catalog) as desk:
        found = await of_prompt(desk.client, "campaign", "s", {"application": "42"})

    names = [value.partition(" (")[0] for value in found.values]
    assert names[-1] == "Winter sale"
    assert all(name.startswith("S") for name in names[:-1])


async def test_a_coupon_is_completed_by_how_its_code_begins(catalog: Catalog) -> None:
    async with open_form(catalog) as desk:
        at_42 = {"application": "Webshop DE (id 42)"}
        found = await of_prompt(desk.client, "coupon", "summer-8", at_42)
        assert await of_prompt(desk.client, "coupon", "8V3B", at_42) == types.Completion(
            values=[], total=0, has_more=False
        )
        assert (await of_prompt(desk.client, "coupon", "", at_42)).values == []
        assert (await of_prompt(desk.client, "coupon", "summer-8")).values == []

        sent = {"POST /v1/applications/42/coupons_search_advanced/no_total"}
        assert {*desk.account.requests} == sent
        assert len(desk.account.requests) == 2
    assert found.values
    assert all(value.startswith("SUMMER-8") for value in found.values)


async def test_more_coupons_than_fit(catalog: Catalog) -> None:
    async with open_form(catalog) as desk:
        arguments = {"applicationId": 42, "campaignId": 18, "numberOfCoupons": 120}
        codes = {"couponPattern": "MANY-####", "validCharacters": ["A", "B", "C", "D", "E"]}
        await desk.call("create_coupons", **arguments, **codes, usageLimit=1)
        found = await of_prompt(desk.client, "coupon", "many", {"application": "42"})

    assert (len(found.values), found.total, found.has_more) == (100, None, True)


async def test_exports_and_answers_are_completed_with_those_there_are(catalog: Catalog) -> None:
    async with open_form(catalog) as desk:
        export = (await desk.call("export_coupons", applicationId=42))["export"]["id"]
        cut = await desk.call("get_application", applicationId=42, fields=["*"], maxTokens=200)
        whole = cut["page"]["whole"].rpartition("/")[2]
        exports = await of_template(desk.client, "talonone://exports/{exportId}", "exportId", "e")
        named = await of_template(
            desk.client, "talonone://exports/{exportId}{?from,rows}", "exportId", "export_coup"
        )
        answers = await of_template(desk.client, "talonone://answers/{answerId}", "answerId", "")

    assert export in exports.values
    assert export in named.values
    assert answers.values == [whole]


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(
    ("count", "typed", "shown", "total"),
    [(100, "", 100, 100), (101, "", 100, 101), (300, "2", 100, 111), (1000, "", 100, 1000)],
)
async def test_at_most_a_hundred_are_shown_and_all_are_counted(  # noqa: PLR0913, PLR0917 - the table's columns
    catalog: Catalog, count: int, typed: str, shown: int, total: int, counted: bool
) -> None:
    found = await found_among(catalog, count, typed, counted=counted)

    assert (len(found.values), found.total, found.has_more) == (shown, total, total > shown)


@pytest.mark.parametrize("counted", [True, False])
async def test_where_not_all_are_known_there_may_be_more(catalog: Catalog, counted: bool) -> None:
    found = await found_among(catalog, 1001, "999", counted=counted)

    assert (found.values, found.total, found.has_more) == (["999"], None, True)


async def found_among(
    catalog: Catalog, count: int, typed: str, *, counted: bool
) -> types.Completion:
    """Complete the id of an Application in an account with many."""
    items = [{"id": number, "name": ""} for number in range(1, count + 1)]
    with serve(LongList(items, counted)) as upstream:
        environment = {"TALONONE_BASE_URL": upstream.url, "TALONONE_MANAGEMENT_KEY": "key"}
        async with Client(build_server(load_settings({}, environment), catalog)) as client:
            found = await of_template(client, CAMPAIGN, "applicationId", typed)
    assert len(upstream.requests) == 1
    return found


async def test_while_a_person_types_upstream_is_asked_once(catalog: Catalog) -> None:
    async with open_form(catalog) as desk:
        for typed in ("", "w", "we", "wel", "welc", "x"):
            await of_template(desk.client, CAMPAIGN, "campaignId", typed, IN_42)

        assert desk.account.requests == ["GET /v1/applications/42/campaigns"]


@both_eras
@pytest.mark.parametrize("status", [500, 403, 404])
async def test_without_upstream_nothing_is_completed(
    catalog: Catalog, mode: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_form(catalog, mode=mode) as desk:
        desk.account.fail(".*", status)
        found = await of_template(desk.client, CAMPAIGN, "applicationId", "")
        assert found == types.Completion(values=[])
        desk.account.mend()
        assert (await of_template(desk.client, CAMPAIGN, "applicationId", "")).values

    [line] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert line.getMessage().startswith("application is not completed: ")


async def test_a_person_is_not_kept_waiting(
    catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_form(catalog, limits=ServerLimits(completion_timeout_s=0)) as desk:
        found = await of_template(desk.client, CAMPAIGN, "applicationId", "")

    assert found.values == []
    assert "no answer in time" in caplog.text


async def test_a_server_without_a_key_completes_nothing(catalog: Catalog) -> None:
    environment = {"TALONONE_BASE_URL": "http://127.0.0.1:9", "TALONONE_INTEGRATION_KEY": "key"}
    async with Client(build_server(load_settings({}, environment), catalog)) as client:
        found = await of_template(client, CAMPAIGN, "applicationId", "")

    assert found.values == []


async def test_personal_data_completes_nothing_where_it_is_masked(catalog: Catalog) -> None:
    items = [{"value": "anna@example.com"}, {"value": "ANNA-1"}]
    with serve(LongList(items)) as upstream:
        environment = {"TALONONE_BASE_URL": upstream.url, "TALONONE_MANAGEMENT_KEY": "key"}
        settings = load_settings({"mask_pii": True}, environment)
        async with Client(build_server(settings, catalog, prompts={"form": FORM})) as client:
            found = await of_prompt(client, "coupon", "a", {"application": "42"})

    assert found.values == ["ANNA-1"]


@pytest.mark.parametrize(
    "typed",
    ["w" * 1_000_000, "(((((", ".*", "[a-", "\x00\u202e\ud7ff", "%", "' OR 1=1 --", "\u0130", "--"],
    ids=lambda typed: repr(typed[:8]),
)
async def test_odd_things_that_are_typed(catalog: Catalog, typed: str) -> None:
    async with open_form(catalog) as desk:
        found = await of_template(desk.client, CAMPAIGN, "campaignId", typed, IN_42)
        codes = await of_prompt(desk.client, "coupon", typed, {"application": "42"})

    assert (found.values, codes.values) == ([], [])


@pytest.mark.parametrize(("length", "requests"), [(200, 1), (201, 0), (1_000_000, 0)])
async def test_what_is_too_long_for_a_name_is_not_looked_for(
    catalog: Catalog, length: int, requests: int
) -> None:
    async with open_form(catalog) as desk:
        await of_prompt(desk.client, "coupon", "w" * length, {"application": "42"})
        assert len(desk.account.requests) == requests


@both_eras
@pytest.mark.parametrize(
    ("ref", "name", "said"),
    [
        (types.PromptReference(name="nothing"), "x", "no prompt 'nothing'. Prompts: form"),
        (types.PromptReference(name="form"), "x", "has no argument 'x'. Its arguments: appl"),
        (types.ResourceTemplateReference(uri="file:///{path}"), "path", "no resource template"),
        (types.ResourceTemplateReference(uri="x" * 100_000), "path", "no resource template"),
        (types.ResourceTemplateReference(uri=CAMPAIGN), "path", "applicationId, campaignId"),
        (types.ResourceTemplateReference(uri="talonone://applications"), "x", "arguments: none"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_what_there_is_not_to_complete(
    catalog: Catalog, mode: str, ref: Any, name: str, said: str
) -> None:
    async with open_form(catalog, mode=mode) as desk:
        with pytest.raises(MCPError) as raised:
            await desk.client.complete(ref, {"name": name, "value": ""})

    assert raised.value.error.code == types.INVALID_PARAMS
    assert said in raised.value.error.message
    assert len(raised.value.error.message) < 500


async def test_every_variable_and_every_argument_has_a_kind_that_is_known(catalog: Catalog) -> None:
    known = {*LISTINGS, "toolset", "customer", ""}
    free = {"skip", "from", "rows"}
    async with open_form(catalog) as desk:
        templates = (await desk.client.list_resource_templates()).resource_templates

    variables = {name for each in templates for name in variables_of(each.uri_template)}
    assert variables - free == KIND_OF_VARIABLE.keys()
    used = {argument.complete for each in prompts.load().values() for argument in each.arguments}
    assert used <= known


def variables_of(template: str) -> list[str]:
    return template.replace("{?", "{").replace(",", "}{").replace("}", "{").split("{")[1::2]
