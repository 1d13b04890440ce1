"""Attributes and additional costs, as integrations define and use them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.sandbox.ground.limits import SandboxLimits
from tests.sandbox import door as doors
from tests.sandbox.door import MANAGEMENT

pytestmark = pytest.mark.anyio
ATTRIBUTES = "/v1/attributes"
COUPONS = "/v1/applications/42/campaigns/18/coupons"
COSTS = "/v1/additional_costs"


async def define(http: httpx.AsyncClient, name: str, **settings: Any) -> dict[str, Any]:
    body = {
        "entity": "Coupon",
        "name": name,
        "title": name,
        "type": "string",
        "description": "",
        "suggestions": [],
        "editable": True,
    }
    created = await http.post(ATTRIBUTES, json=body | settings)
    assert created.status_code == 201, created.text
    attribute: dict[str, Any] = created.json()
    return attribute


async def refusal_of(http: httpx.AsyncClient, given: dict[str, Any]) -> list[Any] | None:
    """Issue a coupon with attributes; return where it is refused, or None."""
    body = {"numberOfCoupons": 1, "usageLimit": 1, "attributes": given}
    answer = await http.post(COUPONS, json=body)
    if answer.status_code == 204:
        return None
    assert answer.status_code == 400
    return [each["source"]["pointer"] for each in answer.json()["errors"]]


async def names(http: httpx.AsyncClient, **filters: Any) -> set[str]:
    found = await http.get(ATTRIBUTES, params=filters)
    assert found.json()["totalResultSize"] == len(found.json()["data"])
    return {each["name"] for each in found.json()["data"]}


async def test_a_new_attribute_is_listed_and_can_be_used(http: httpx.AsyncClient) -> None:
    assert await refusal_of(http, {"shelf": "A"}) == ["/attributes/shelf"]

    attribute = await define(http, "shelf")

    assert await refusal_of(http, {"shelf": "A"}) is None
    assert "shelf" in await names(http, entity="Coupon")
    assert (await http.get(f"{ATTRIBUTES}/{attribute['id']}")).json() == attribute


async def test_only_the_description_of_an_attribute_changes(http: httpx.AsyncClient) -> None:
    attribute = await define(http, "shelf")
    url = f"{ATTRIBUTES}/{attribute['id']}"
    body = {key: each for key, each in attribute.items() if key not in ("id", "created")}

    changed = await http.put(url, json=body | {"description": "Where it stands"})
    refused = await http.put(url, json=body | {"type": "number"})

    assert changed.json() == attribute | {"description": "Where it stands"}
    assert refused.json()["errors"][0]["source"] == {"pointer": "/type"}
    assert (await http.get(url)).json() == changed.json()


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"name": "venueId", "title": "Other"}, "/name"),
        ({"name": "other", "title": "venueId"}, "/title"),
        ({"name": "other", "title": "Other", "subscribedApplicationsIds": [99]},
         "/subscribedApplicationsIds"),
        ({"name": "other", "title": "Other", "eventType": "click"}, "/eventType"),
    ],
)  # fmt: skip
async def test_an_attribute_that_cannot_be_is_refused(
    http: httpx.AsyncClient, settings: Any, pointer: str
) -> None:
    body = {"entity": "Coupon", "type": "string", "description": "", "suggestions": [],
            "editable": True}  # fmt: skip

    refused = await http.post(ATTRIBUTES, json=body | settings)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}


async def test_the_same_name_may_belong_to_several_entities(http: httpx.AsyncClient) -> None:
    await define(http, "shelf", type="number")
    await define(http, "shelf", entity="Store")

    assert await refusal_of(http, {"shelf": "A"}) == ["/attributes/shelf"]
    assert await refusal_of(http, {"shelf": 7}) is None


@pytest.mark.parametrize(
    ("of_type", "right", "wrong"),
    [
        ("string", ["", "A"], [1, True, ["A"], {}]),
        ("number", [0, -1.5], ["1", True, [1]]),
        ("boolean", [True, False], [1, "true"]),
        ("time", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+01:00"], ["today", 5, "2026-01-02"]),
        ("location", [[52.5, 13.4], {"lat": 52.5, "lng": 13.4}], [[1], [1, "2"], "52,13", 52]),
        ("(list string)", [[], ["A", "B"]], ["A", [1]]),
        ("(list number)", [[1, 2.5]], [1, ["1"]]),
        ("(list time)", [["2026-01-02T03:04:05Z"]], [["soon"]]),
        ("(list location)", [[[1, 2], [3, 4]]], [[1, 2]]),
    ],
)
async def test_a_value_must_be_of_its_attributes_type(
    http: httpx.AsyncClient, of_type: str, right: list[Any], wrong: list[Any]
) -> None:
    await define(http, "shelf", type=of_type)

    assert [await refusal_of(http, {"shelf": value}) for value in [*right, None]] == [None] * (
        len(right) + 1
    )
    assert [await refusal_of(http, {"shelf": value}) for value in wrong] == [
        ["/attributes/shelf"]
    ] * len(wrong)


async def test_all_wrong_attributes_are_named_at_once(http: httpx.AsyncClient) -> None:
    wrong = await refusal_of(http, {"venueId": "twelve", "colour": "red", "country": "DE"})

    assert wrong == ["/attributes/venueId", "/attributes/colour"]


async def test_suggestions_restrict_only_where_they_are_said_to(http: httpx.AsyncClient) -> None:
    await define(http, "free", suggestions=["A", "B"])
    await define(http, "bound", suggestions=["A", "B"], restrictedBySuggestions=True)
    await define(http, "many", type="(list string)", suggestions=["A", "B"],
                 restrictedBySuggestions=True)  # fmt: skip

    assert await refusal_of(http, {"free": "C", "bound": "B", "many": ["A", "B"]}) is None
    assert await refusal_of(http, {"bound": "C"}) == ["/attributes/bound"]
    assert await refusal_of(http, {"many": ["A", "C"]}) == ["/attributes/many"]


async def import_values(http: httpx.AsyncClient, number: int, text: str) -> httpx.Response:
    url = f"{ATTRIBUTES}/{number}/allowed_list/import"
    return await http.post(url, files={"upFile": ("values.csv", text)})


async def test_an_import_replaces_the_allowed_values(http: httpx.AsyncClient) -> None:
    number = (await define(http, "sku", restrictedBySuggestions=True))["id"]

    first = await import_values(http, number, "item\nA\nB\nB\n")
    assert (first.json()["amount"], first.json()["entity"]) == (2, "AttributeAllowedList")
    assert await refusal_of(http, {"sku": "B"}) is None
    assert (await http.get(f"{ATTRIBUTES}/{number}")).json()["hasAllowedList"] is True

    await import_values(http, number, "item\nC\n")
    assert await refusal_of(http, {"sku": "B"}) == ["/attributes/sku"]
    assert await refusal_of(http, {"sku": "C"}) is None


@pytest.mark.parametrize(
    ("text", "line"), [("items\nA\n", "1"), ('item\nA\n""\n', "3"), ("item,more\nA,B\n", "1")]
)
async def test_a_broken_list_of_values_leaves_the_old_ones(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    number = (await define(http, "sku", restrictedBySuggestions=True))["id"]
    await import_values(http, number, "item\nold\n")

    refused = await import_values(http, number, text)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"line": line}
    assert await refusal_of(http, {"sku": "old"}) is None


async def test_an_attribute_may_be_for_one_application_alone(http: httpx.AsyncClient) -> None:
    await define(http, "shelf", subscribedApplicationsIds=[43])
    assert await refusal_of(http, {"shelf": "A"}) == ["/attributes/shelf"]

    body = {"numberOfCoupons": 1, "usageLimit": 1, "attributes": {"shelf": "A"}}
    there = await http.post("/v1/applications/43/campaigns/31/coupons", json=body)

    assert there.status_code == 204


@pytest.mark.parametrize(
    ("filters", "has", "has_not"),
    [
        ({"entity": "Store"}, "code", "venueId"),
        ({"type": "location"}, "homeLocation", "code"),
        ({"kind": "builtin"}, "Email", "vip"),
        ({"kind": "custom"}, "vip", "Email"),
        ({"search": "FAVOURITE"}, "favouriteCategories", "vip"),
        ({"search": "newsletter was OPENED"}, "lastNewsletter", "vip"),
        ({"search": "boolean"}, "vip", "code"),
        ({"applicationIds": "42"}, "vip", "american"),
        ({"applicationIds": "41,43"}, "american", "none"),
    ],
)
async def test_attributes_are_filtered(
    http: httpx.AsyncClient, filters: dict[str, str], has: str, has_not: str
) -> None:
    await define(http, "american", subscribedApplicationsIds=[43])

    found = await names(http, **filters)

    assert has in found
    assert has_not not in found


async def test_an_additional_cost_keeps_its_name(http: httpx.AsyncClient) -> None:
    body = {"name": "customs", "title": "Customs", "description": "At the border"}
    created = (await http.post(COSTS, json=body | {"subscribedApplicationsIds": [43]})).json()
    assert (created["type"], created["subscribedApplicationsIds"]) == ("session", [43])
    url = f"{COSTS}/{created['id']}"

    changed = await http.put(url, json=body | {"title": "Customs duty", "type": "item"})
    renamed = await http.put(url, json=body | {"name": "duty"})

    assert changed.json() == created | {
        "title": "Customs duty", "type": "item", "subscribedApplicationsIds": []
    }  # fmt: skip
    assert renamed.json()["errors"][0]["source"] == {"pointer": "/name"}
    assert (await http.get(url)).json() == changed.json()
    listed = (await http.get(COSTS, params={"sort": "-id", "pageSize": 1})).json()
    assert listed == {"totalResultSize": 5, "data": [changed.json()]}


@pytest.mark.parametrize(
    ("name", "title", "pointer"),
    [("shipping", "New", "/name"), ("fresh", "Shipping fee", "/title")],
)
async def test_additional_costs_have_names_and_titles_of_their_own(
    http: httpx.AsyncClient, name: str, title: str, pointer: str
) -> None:
    refused = await http.post(COSTS, json={"name": name, "title": title, "description": ""})

    assert refused.json()["errors"][0]["source"] == {"pointer": pointer}


async def test_a_list_of_values_has_an_end(catalog: Catalog) -> None:
    with doors.door(catalog, limits=SandboxLimits(attribute_values=2)) as door:
        async with door.client(MANAGEMENT) as http:
            number = (await define(http, "sku"))["id"]

            assert (await import_values(http, number, "item\nA\nB\n")).status_code == 200
            refused = await import_values(http, number, "item\nA\nB\nC\n")

    assert refused.json()["errors"][0]["source"] == {"line": "4"}
