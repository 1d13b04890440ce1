"""Loyalty cards of the tests, asked for as shops and as the back office ask."""

from __future__ import annotations

import csv
from typing import Any

import httpx

PROGRAM = "/v1/loyalty_programs/7"
CARDS = f"{PROGRAM}/cards"


async def issue(shop: httpx.AsyncClient, code: str = "NEW-1", **settings: Any) -> dict[str, Any]:
    created = await shop.post(CARDS, json={"cardIdentifier": code, **settings})
    assert created.status_code == 200, created.text
    card: dict[str, Any] = created.json()
    return card


async def card_of(http: httpx.AsyncClient, code: str) -> dict[str, Any]:
    found = await http.get(f"{CARDS}/{code}")
    assert found.status_code == 200, found.text
    card: dict[str, Any] = found.json()
    return card


async def codes(http: httpx.AsyncClient, **filters: Any) -> list[str]:
    listed = await http.get(CARDS, params=filters)
    assert listed.status_code == 200, listed.text
    return [each["identifier"] for each in listed.json()["data"]]


async def change(http: httpx.AsyncClient, code: str, way: str, **body: Any) -> httpx.Response:
    return await http.put(f"{CARDS}/{code}/{way}", json=body)


async def balances(shop: httpx.AsyncClient, code: str, **params: Any) -> dict[str, Any]:
    found = await shop.get(f"{CARDS}/{code}/balances", params=params)
    assert found.status_code == 200, found.text
    document: dict[str, Any] = found.json()
    return document


async def listed(shop: httpx.AsyncClient, code: str, what: str, **params: Any) -> list[Any]:
    found = await shop.get(f"{CARDS}/{code}/{what}", params=params)
    assert found.status_code == 200, found.text
    data: list[Any] = found.json()["data"]
    return data


async def rows(http: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, str]]:
    exported = await http.get(f"{PROGRAM}/{path}", params=params)
    assert exported.status_code == 200, exported.text
    return list(csv.DictReader(exported.text.splitlines()))


def refusal(response: httpx.Response) -> tuple[int, dict[str, str]]:
    return response.status_code, response.json()["errors"][0]["source"]
