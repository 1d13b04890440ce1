"""Coupons and referrals for messaging platforms, and Capillary's coupons, in the sandbox."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio
REQUIRED = {"applicationId": "42", "campaignId": "18", "externalCampaignId": "braze-7"}


async def coupon(
    platform: httpx.AsyncClient,
    *,
    dry: bool = False,
    attributes: dict[str, str] | None = None,
    **query: str,
) -> dict[str, Any]:
    headers = {"X-DRY-RUN": "true"} if dry else {}
    query |= attributes or {}
    path = "/customer_engagement/coupon"
    answer = await platform.get(path, params=REQUIRED | query, headers=headers)
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json()
    return given


async def stored(http: httpx.AsyncClient, code: str) -> list[dict[str, Any]]:
    params = {"value": code, "exactMatch": "true"}
    found = await http.get("/v1/applications/42/campaigns/18/coupons/no_total", params=params)
    data: list[dict[str, Any]] = found.json()["data"]
    return data


async def test_an_identifier_stands_for_one_coupon(
    http: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    first = await coupon(platform, identifier="anna-birthday", recipientIntegrationId="anna")
    again = await coupon(platform, identifier="anna-birthday", recipientIntegrationId="ben")
    other = await coupon(platform, identifier="ben-birthday")

    assert again == first
    assert other["Value"] != first["Value"]
    assert (first["RecipientIntegrationID"], first["UsageLimit"]) == ("anna", 1)
    [kept] = await stored(http, first["Value"])
    assert (kept["id"], kept["recipientIntegrationId"]) == (first["ID"], "anna")
    assert "identifier" not in kept

    url = f"/v1/applications/42/campaigns/18/coupons/{first['ID']}"
    assert (await http.delete(url)).status_code == 204
    assert (await coupon(platform, identifier="anna-birthday"))["ID"] > other["ID"]


async def test_without_an_identifier_each_call_creates_one(platform: httpx.AsyncClient) -> None:
    assert (await coupon(platform))["ID"] != (await coupon(platform))["ID"]


async def test_a_dry_run_keeps_nothing(
    http: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    tried = await coupon(platform, dry=True, identifier="anna-birthday")
    assert await stored(http, tried["Value"]) == []

    real = await coupon(platform, identifier="anna-birthday")
    assert len(await stored(http, real["Value"])) == 1
    assert await coupon(platform, dry=True, identifier="anna-birthday") == real


async def test_settings_and_dotted_attributes_are_taken_over(
    http: httpx.AsyncClient, platform: httpx.AsyncClient, time: Time
) -> None:
    given = await coupon(
        platform,
        startDate=time.at(days=1),
        expiryDate=time.at(days=2),
        usageLimit="0",
        discountLimit="15.5",
        attributes={".venueId": "7", ".country": '"DE"', ".firstName": "john"},
    )

    assert given["Attributes"] == {"venueId": 7, "country": "DE", "firstName": "john"}
    [kept] = await stored(http, given["Value"])
    assert (kept["usageLimit"], kept["discountLimit"], kept["discountRemainder"]) == (0, 15.5, 15.5)
    assert kept["startDate"] == given["StartDate"] < given["ExpiryDate"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"campaignId": "99"}, 404),
        ({"campaignId": "31"}, 404),  # of the other Application
        ({"applicationId": "99"}, 404),
        ({"campaignId": "summer"}, 400),
        ({"usageLimit": "1.5"}, 400),
        ({"usageLimit": "-1"}, 400),
        ({".firstName": "7"}, 400),
        ({".unheardOf": "x"}, 400),
    ],
)
async def test_refusals_have_the_platforms_form(
    http: httpx.AsyncClient, platform: httpx.AsyncClient, query: Any, status: int
) -> None:
    before = (await http.get("/v1/applications/42/campaigns/18")).json()

    refused = await platform.get("/customer_engagement/coupon", params=REQUIRED | query)

    assert (refused.status_code, refused.json()["StatusCode"]) == (status, status)
    assert {"Error", "RequestUUID"} <= set(refused.json())
    assert (await http.get("/v1/applications/42/campaigns/18")).json() == before


async def test_a_platform_creates_referrals(
    http: httpx.AsyncClient, platform: httpx.AsyncClient
) -> None:
    async def create(**headers: str) -> dict[str, Any]:
        query = {"campaignId": "18", "advocateProfileIntegrationId": "ada", ".channel": "push"}
        path = "/customer_engagement/referral"
        answer = await platform.get(path, params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        referral: dict[str, Any] = answer.json()
        return referral

    first, second = await create(), await create()
    tried = await create(**{"X-DRY-RUN": "true"})

    assert first["code"] != second["code"]
    assert first["attributes"] == {"channel": "push"}
    url, params = "/v1/applications/42/campaigns/18/referrals/no_total", {"advocate": "ada"}
    found = (await http.get(url, params=params)).json()["data"]
    assert [each["code"] for each in found] == [first["code"], second["code"]]
    assert tried["code"] not in {first["code"], second["code"]}


# --- Capillary -----------------------------------------------------------------------------------


async def issue(
    capillary: httpx.AsyncClient, series: int = 544770, **customer: Any
) -> httpx.Response:
    body = {"seriesId": series, "customer": customer}
    return await capillary.post("/v2/coupon/issue", json=body)


async def test_capillary_issues_a_coupon_of_a_series(capillary: httpx.AsyncClient) -> None:
    first = (await issue(capillary, email="anna.schmidt@example.com")).json()
    second = (await issue(capillary, id=555567088)).json()

    assert first["code"] != second["code"]
    assert first["customer"]["id"] == second["customer"]["id"] == 555567088
    assert (first["seriesId"], first["discountValue"], first["warnings"]) == (544770, 500.0, [])
    new = [(await issue(capillary, mobile="49171")).json()["customer"]["id"] for _ in range(2)]
    assert new[0] == new[1] != 555567088


@pytest.mark.parametrize(
    ("series", "customer", "said"),
    [
        (1, {"mobile": "49171"}, "does not exist"),
        (544772, {"mobile": "49171"}, "expired"),
        (544770, {"id": 1}, "does not exist"),
        (544770, {}, "customer"),
        (544770, {"email": ""}, "customer"),
    ],
)
async def test_capillary_refuses_in_its_own_form(
    capillary: httpx.AsyncClient, series: int, customer: Any, said: str
) -> None:
    refused = await issue(capillary, series, **customer)

    assert refused.status_code == 400
    [error] = refused.json()["errors"]
    assert (error["code"], error["status"]) == (400, False)
    assert said in error["message"]


async def test_a_series_runs_out(capillary: httpx.AsyncClient) -> None:
    statuses = [(await issue(capillary, 544771, mobile=f"4917{n}")).status_code for n in range(3)]

    assert statuses == [200, 200, 400]
