"""Collections, told through HTTP: made, filled, listed, shared and deleted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio
ACCOUNT = "/v1/collections"
CAMPAIGN = "/v1/applications/42/campaigns/18"
OF_CAMPAIGN = f"{CAMPAIGN}/collections"
PLACES = [pytest.param(ACCOUNT, id="account"), pytest.param(OF_CAMPAIGN, id="campaign")]


async def create(http: httpx.AsyncClient, place: str, **settings: Any) -> dict[str, Any]:
    created = await http.post(place, json={"name": "Socks", **settings})
    assert created.status_code == 201, created.text
    collection: dict[str, Any] = created.json()
    return collection


async def fill(http: httpx.AsyncClient, url: str, *items: str) -> httpx.Response:
    text = "\n".join(("item", *items)) + "\n"
    return await http.post(f"{url}/import", files={"upFile": ("items.csv", text)})


async def items(http: httpx.AsyncClient, number: int, **params: Any) -> list[str]:
    listed = await http.get(f"{ACCOUNT}/{number}/items", params=params)
    assert listed.status_code == 200, listed.text
    return [each["item"] for each in listed.json()["data"]]


async def names(http: httpx.AsyncClient, place: str, **params: Any) -> list[str]:
    listed = await http.get(place, params=params)
    return [each["name"] for each in listed.json()["data"]]


@pytest.mark.parametrize("place", PLACES)
async def test_a_collection_is_made_filled_changed_exported_and_deleted(
    http: httpx.AsyncClient, time: Time, place: str
) -> None:
    collection = await create(http, place, description="What feet wear")
    url = f"{place}/{collection['id']}"
    assert (collection["payload"], collection["modified"]) == ([], collection["created"])

    time.advance(hours=1)
    assert (await fill(http, url, "SKU-2", "SKU-1", "SKU-2")).json()["amount"] == 2
    assert (await http.get(url)).json()["payload"] == ["SKU-2", "SKU-1"]
    assert (await http.get(f"{url}/export")).text == "item\nSKU-2\nSKU-1\n"

    changed = (await http.put(url, json={"description": "Warm"})).json()
    assert (changed["description"], changed["name"]) == ("Warm", "Socks")
    assert changed["modified"] > changed["created"] == collection["created"]

    assert (await http.delete(url)).status_code == 204
    assert (await http.get(url)).status_code == 404
    assert "Socks" not in await names(http, place)
    again = await create(http, place)
    assert again["id"] > collection["id"]
    assert again["payload"] == []


@pytest.mark.parametrize("place", PLACES)
async def test_a_name_is_there_once(http: httpx.AsyncClient, place: str) -> None:
    await create(http, place)

    refused = await http.post(place, json={"name": "Socks"})

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (
        409,
        {"pointer": "/name"},
    )
    assert (await names(http, place)).count("Socks") == 1


async def test_the_account_and_each_campaign_have_names_of_their_own(
    http: httpx.AsyncClient,
) -> None:
    for place in (ACCOUNT, OF_CAMPAIGN, "/v1/applications/42/campaigns/19/collections"):
        await create(http, place)

    assert await names(http, OF_CAMPAIGN, name="sock") == ["Socks"]
    assert await names(http, "/v1/applications/42/collections", name="SOCK") == ["Socks"] * 2
    assert await names(http, ACCOUNT, name="socks") == ["Socks"]


async def test_pages_totals_and_sorting(http: httpx.AsyncClient) -> None:
    for letter in "CAB":
        await create(http, ACCOUNT, name=f"Test {letter}")
    params: dict[str, Any] = {"name": "test", "sort": "-name", "pageSize": 2}

    first = (await http.get(ACCOUNT, params=params)).json()
    counted = (await http.get(ACCOUNT, params=params | {"withTotalResultSize": "true"})).json()

    assert [each["name"] for each in first["data"]] == ["Test C", "Test B"]
    assert first["hasMore"] is True
    assert (counted["totalResultSize"], counted["data"]) == (3, first["data"])
    assert await names(http, ACCOUNT, **params | {"skip": 2}) == ["Test A"]


async def test_items_come_page_by_page_and_fifty_with_the_collection(
    http: httpx.AsyncClient,
) -> None:
    collection = await create(http, OF_CAMPAIGN)
    every = [f"SKU-{number}" for number in range(120)]
    await fill(http, f"{OF_CAMPAIGN}/{collection['id']}", *every)

    pages = [await items(http, collection["id"], pageSize=50, skip=skip) for skip in (0, 50, 100)]

    assert [item for page in pages for item in page] == every
    shown = (await http.get(f"{OF_CAMPAIGN}/{collection['id']}")).json()
    assert shown["payload"] == every[:50]


async def test_an_import_replaces_what_was_there(http: httpx.AsyncClient, time: Time) -> None:
    url = f"{ACCOUNT}/22"
    before = await items(http, 22)

    time.advance(hours=1)
    imported = await fill(http, url, "SHOE-001", "SHOE-999")

    assert imported.json()["amount"] == 2
    assert (await http.get(url)).json()["modified"] == imported.json()["created"]
    assert await items(http, 22) == ["SHOE-001", "SHOE-999"] != before


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sku\nA\n", "1"),
        ("item,price\nA,1\n", "1"),
        ('item\nA\n""\n', "3"),
        ("item\nA,B\n", "2"),
        ("item\nAdidas\nNike\n", "1"),
    ],
)
async def test_a_refused_import_names_its_line_and_changes_nothing(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    number = (await create(http, ACCOUNT))["id"]
    await fill(http, f"{ACCOUNT}/{number}", "Adidas", "Nike")

    files = {"upFile": ("items.csv", text)}
    refused = await http.post(f"{ACCOUNT}/{number}/import", files=files)

    assert (refused.status_code, refused.json()["errors"][0]["source"]) == (400, {"line": line})
    assert await items(http, number) == ["Adidas", "Nike"]


async def test_applications_are_subscribed_and_must_exist(http: httpx.AsyncClient) -> None:
    url = f"{ACCOUNT}/{(await create(http, ACCOUNT, subscribedApplicationsIds=[42]))['id']}"

    refused = await http.put(url, json={"subscribedApplicationsIds": [42, 99]})
    assert refused.json()["errors"][0]["source"] == {"pointer": "/subscribedApplicationsIds"}
    assert (await http.get(url)).json()["subscribedApplicationsIds"] == [42]

    await http.put(url, json={"subscribedApplicationsIds": [43]})
    assert (await http.get(url)).json()["subscribedApplicationsIds"] == [43]


@pytest.mark.parametrize(
    "path",
    [
        f"{ACCOUNT}/44",  # a campaign's
        f"{OF_CAMPAIGN}/22",  # the account's
        "/v1/applications/42/campaigns/19/collections/44",  # another campaign's
        "/v1/applications/43/campaigns/18/collections/44",  # of another Application
        f"{ACCOUNT}/999/items",
        "/v1/applications/99/collections",
    ],
)
async def test_a_collection_is_found_only_where_it_is(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_a_campaign_takes_its_collections_along(http: httpx.AsyncClient) -> None:
    assert await items(http, 44)

    await http.delete(CAMPAIGN)

    assert (await http.get(f"{ACCOUNT}/44/items")).status_code == 404
    assert await names(http, "/v1/applications/42/collections") == []
    assert await names(http, ACCOUNT) == ["Running shoes", "Sports brands"]
