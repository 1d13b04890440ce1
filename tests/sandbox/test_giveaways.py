"""Giveaways of the sandbox: pools of codes, and who was given them."""

from __future__ import annotations

import csv
from typing import Any

import httpx
import pytest

from tests.sandbox.door import Time
from tests.sandbox.orders import issue, order

pytestmark = pytest.mark.anyio
POOL = "/v1/giveaways/pools/8"


async def codes(http: httpx.AsyncClient, **filters: Any) -> list[dict[str, str]]:
    exported = await http.get(f"{POOL}/export", params=filters)
    assert exported.status_code == 200, exported.text
    return list(csv.DictReader(exported.text.splitlines()))


async def import_csv(http: httpx.AsyncClient, text: str) -> httpx.Response:
    return await http.post(f"{POOL}/import", files={"upFile": ("codes.csv", text)})


async def award(http: httpx.AsyncClient, shop: httpx.AsyncClient, customer: str) -> list[str]:
    """Close a large order with a coupon of campaign 19, which awards a giveaway; return codes."""
    code = await issue(http, 19)
    effects = await order(shop, f"of-{customer}", customer, 900, couponCodes=[code])
    return [each["props"]["code"] for each in effects if each["effectType"] == "awardGiveaway"]


async def test_an_import_adds_codes_even_those_that_are_there(
    http: httpx.AsyncClient, time: Time
) -> None:
    before = await codes(http)
    time.advance(days=1)
    text = (
        "code,startdate,enddate,attributes\n"
        'TWICE,2026-01-01T00:00:00+01:00,,"{""provider"": ""Cinema""}"\n'
        "TWICE,,,\n"
    )

    imported = (await import_csv(http, text)).json()

    assert imported["amount"] == 2
    added = (await codes(http))[len(before) :]
    assert [each["code"] for each in added] == ["TWICE", "TWICE"]
    assert added[0]["startdate"] == "2025-12-31T23:00:00Z"
    assert added[0]["attributes"] == '{"provider": "Cinema"}'
    assert {each["importid"] for each in added} == {str(imported["id"])}
    assert {each["used"] for each in added} == {"false"}
    assert await codes(http, createdAfter=time.at()) == added
    assert await codes(http, createdBefore=time.at(hours=-1)) == before


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("value\nX\n", "1"),
        ('code\nX\n""\n', "3"),
        ("code,startdate\nX,soon\n", "2"),
        ('code,attributes\nX,"{""colour"": 1}"\n', "2"),
    ],
)
async def test_a_broken_import_names_its_line_and_changes_nothing(
    http: httpx.AsyncClient, text: str, line: str
) -> None:
    before = await codes(http)

    refused = await import_csv(http, text)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"line": line}
    assert await codes(http) == before


async def test_the_export_has_the_documented_columns(http: httpx.AsyncClient) -> None:
    first = (await codes(http))[0]

    assert list(first) == ["id", "poolid", "code", "startdate", "enddate", "attributes", "used",
                           "importid", "created", "profileintegrationid", "profileid"]  # fmt: skip
    assert (first["used"], first["profileintegrationid"], first["profileid"]) == (
        "true", "anna.schmidt", "3778")  # fmt: skip
    assert (await http.get("/v1/giveaways/pools/9/export")).status_code == 404


async def test_each_code_is_awarded_once_and_within_its_dates(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    time.advance(days=300)  # all of the demo account's codes are over
    text = (
        "code,startdate,enddate\n"
        f"OVER,,{time.at(days=-1)}\nLATER,{time.at(days=1)},\nFIRST,,\nSECOND,,{time.at(days=9)}\n"
    )
    await import_csv(http, text)

    awarded = [await award(http, shop, customer) for customer in ("ann", "bob", "cem")]

    assert awarded == [["FIRST"], ["SECOND"], []]
    params = {"giveaways": "true"}
    owned = (await shop.get("/v1/customer_profiles/bob/inventory", params=params)).json()
    assert [each["code"] for each in owned["giveaways"]] == ["SECOND"]
    used = {each["code"]: each["profileintegrationid"] for each in await codes(http)}
    assert (used["FIRST"], used["LATER"]) == ("ann", "")
