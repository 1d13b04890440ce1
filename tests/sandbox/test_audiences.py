"""Audiences of the sandbox, and who is in them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio


async def create(shop: httpx.AsyncClient, **settings: Any) -> dict[str, Any]:
    created = await shop.post("/v2/audiences", json={"name": "Cyclists", **settings})
    assert created.status_code == 201, created.text
    audience: dict[str, Any] = created.json()
    return audience


async def move(shop: httpx.AsyncClient, audience: int, action: str, *customers: str) -> None:
    changes = [
        {"action": action, "profileIntegrationId": each, "audienceId": audience}
        for each in customers
    ]
    moved = await shop.post("/v2/customer_audiences", json={"data": changes})
    assert moved.status_code == 204, moved.text


async def members(http: httpx.AsyncClient, audience: int, **params: Any) -> list[str]:
    found = await http.get(f"/v1/audiences/{audience}/memberships", params=params)
    assert found.status_code == 200, found.text
    return [each["integrationId"] for each in found.json()["data"]]


async def count(http: httpx.AsyncClient, audience: int) -> int:
    params = {"audienceIds": str(audience)}
    [counted] = (await http.get("/v1/audiences/analytics", params=params)).json()["data"]
    assert counted["audienceId"] == audience
    size: int = counted["membersCount"]
    return size


async def import_csv(http: httpx.AsyncClient, audience: int, text: str) -> httpx.Response:
    files = {"upFile": ("members.csv", text)}
    return await http.post(f"/v1/audiences/{audience}/memberships/import", files=files)


async def test_the_life_of_an_audience(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    audience = await create(shop, subscribedApplicationsIds=[42])
    number = audience["id"]
    time.advance(hours=1)

    await move(shop, number, "add", "anna.schmidt", "newcomer", "anna.schmidt")
    assert await members(http, number) == ["anna.schmidt", "newcomer"]
    renamed = await shop.put(f"/v2/audiences/{number}", json={"name": "Bikers"})
    assert renamed.json()["subscribedApplicationsIds"] == [42]
    assert renamed.json()["lastUpdate"] > audience["lastUpdate"]
    profile = (await http.get("/v1/customers/3778")).json()
    assert {"id": number, "name": "Bikers"} in profile["audienceMemberships"]

    await move(shop, number, "delete", "anna.schmidt", "nobody")
    assert await members(http, number) == ["newcomer"]
    assert (await shop.delete(f"/v2/audiences/{number}")).status_code == 204
    assert (await http.get(f"/v1/audiences/{number}/memberships")).status_code == 404
    everything = (await http.get("/v1/audiences")).json()["data"]
    assert number not in [each["id"] for each in everything]
    assert (await create(shop))["id"] > number, "an id is never used twice"


async def test_no_application_sees_a_member_before_it_meets_them(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await move(shop, 4, "add", "newcomer")
    path, params = "/v1/applications/42/customers", {"integrationId": "newcomer"}

    assert (await http.get(path, params=params)).json()["data"] == []
    await shop.put("/v2/customer_profiles/newcomer", json={})
    assert len((await http.get(path, params=params)).json()["data"]) == 1


async def test_an_audience_of_another_platform_exists_once(shop: httpx.AsyncClient) -> None:
    settings = {"integration": "braze", "integrationId": "cyclists-1"}
    await create(shop, **settings)

    again = await shop.post("/v2/audiences", json={"name": "Again", **settings})
    assert again.status_code == 409
    await create(shop, integration="segment", integrationId="cyclists-1")
    await create(shop)
    await create(shop)  # names need not differ


async def test_a_profile_joins_and_leaves_with_its_update(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    body = {"audiencesChanges": {"adds": [7], "deletes": [2, 10]}}
    state = await shop.put("/v2/customer_profiles/anna.schmidt", json=body)

    found = {each["id"] for each in state.json()["customerProfile"]["audienceMemberships"]}
    assert 7 in found
    assert not {2, 10} & found
    assert "anna.schmidt" in await members(http, 7)
    unknown = {"audiencesChanges": {"adds": [99], "deletes": []}}
    refused = await shop.put("/v2/customer_profiles/anna.schmidt", json=unknown)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"pointer": "/audiencesChanges/adds"}


async def test_a_change_of_an_unknown_audience_changes_none(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    changes = [
        {"action": "add", "profileIntegrationId": "newcomer", "audienceId": each}
        for each in (4, 99)
    ]
    refused = await shop.post("/v2/customer_audiences", json={"data": changes})

    assert refused.status_code == 404
    assert "newcomer" not in await members(http, 4)


async def test_an_import_replaces_the_members(http: httpx.AsyncClient) -> None:
    before = await members(http, 10)
    text = "profileIntegrationId\nben.weber\nnewcomer\nben.weber\n"

    imported = await import_csv(http, 10, text)

    assert imported.json()["amount"] == 2
    assert await members(http, 10) == ["ben.weber", "newcomer"] != before
    exported = await http.get("/v1/audiences/10/memberships/export")
    assert exported.text == "profileintegrationid\nben.weber\nnewcomer\n"
    assert await count(http, 10) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("customer\nanna\n", "1"),
        ("profileintegrationid\nanna,ben\n", "2"),
        ('profileintegrationid\nanna\n""\n', "3"),
    ],
)
async def test_a_broken_import_leaves_the_members(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    before = await members(http, 10)

    refused = await import_csv(http, 10, text)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"line": line}
    assert await members(http, 10) == before


async def test_an_audience_is_emptied(http: httpx.AsyncClient, shop: httpx.AsyncClient) -> None:
    assert await count(http, 2) > 0

    assert (await shop.delete("/v2/audiences/2/memberships")).status_code == 204

    assert (await members(http, 2), await count(http, 2)) == ([], 0)


async def test_members_are_filtered_sorted_and_paged(http: httpx.AsyncClient) -> None:
    everybody = await members(http, 2)

    assert await members(http, 2, sort="-integrationId") == sorted(everybody, reverse=True)
    assert await members(http, 2, profileQuery="ANNA") == ["anna.schmidt"]
    assert await members(http, 2, sort="id", profileQuery="ANNA") == ["anna.schmidt"]
    assert await members(http, 2, pageSize=3, skip=2) == everybody[2:5]


async def test_audiences_are_counted_sorted(http: httpx.AsyncClient) -> None:
    params = {"audienceIds": "10,2,99", "sort": "-membersCount"}
    counted = (await http.get("/v1/audiences/analytics", params=params)).json()["data"]

    sizes = [each["membersCount"] for each in counted]
    assert sizes == sorted(sizes, reverse=True)
    assert {each["audienceId"] for each in counted} == {2, 10}
    refused = await http.get("/v1/audiences/analytics", params={"audienceIds": "ten"})
    assert refused.status_code == 400


async def test_attributes_of_all_members_change(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    path = "/v2/audience_customers/10/attributes"

    assert (await shop.put(path, json={"country": "AT"})).status_code == 204

    inside = (await http.get("/v1/audiences/10/memberships")).json()["data"]
    assert {each["attributes"]["country"] for each in inside} == {"AT"}
    assert all("Name" in each["attributes"] for each in inside), "the others stay"
    body = {"attributes": {"country": "AT"}}
    changed = (await http.post("/v1/customer_search/no_total", json=body)).json()["data"]
    assert len(changed) == len(inside)
    assert (await shop.put(path, json={"country": 43})).status_code == 400
    assert (await shop.put("/v2/audience_customers/99/attributes", json={})).status_code == 404
