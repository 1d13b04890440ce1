"""What tests of loyalty programs ask of the sandbox."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx

PROGRAM = "/v1/loyalty_programs/5"
CUSTOMER = "new.customer"
LEDGER = f"{PROGRAM}/profile/{CUSTOMER}"
NOTHING = {
    "activePoints": 0,
    "pendingPoints": 0,
    "spentPoints": 0,
    "expiredPoints": 0,
    "negativePoints": 0,
}


def points(**changed: float) -> dict[str, float]:
    """Return a balance, of nothing but what is given: `points(active=3)`."""
    return NOTHING | {f"{name}Points": amount for name, amount in changed.items()}


async def add(http: httpx.AsyncClient, amount: float, ledger: str = LEDGER, **more: Any) -> None:
    added = await http.put(f"{ledger}/add_points", json={"points": amount, **more})
    assert added.status_code == 204, added.text


async def deduct(http: httpx.AsyncClient, amount: float, ledger: str = LEDGER, **more: Any) -> None:
    deducted = await http.put(f"{ledger}/deduct_points", json={"points": amount, **more})
    assert deducted.status_code == 204, deducted.text


async def balances(http: httpx.AsyncClient, ledger: str = LEDGER, **params: Any) -> dict[str, Any]:
    found = await http.get(f"{ledger}/ledger_balances", params=params)
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


async def balance(http: httpx.AsyncClient, ledger: str = LEDGER, **params: Any) -> dict[str, Any]:
    """Return the balance of the main ledger."""
    main: dict[str, Any] = (await balances(http, ledger, **params))["balance"]
    return main


async def transactions(
    http: httpx.AsyncClient, url: str = f"{LEDGER}/ledger_transactions", **params: Any
) -> list[dict[str, Any]]:
    found = await http.get(url, params=params)
    assert found.status_code == 200, found.text
    data: list[dict[str, Any]] = found.json()["data"]
    return data


async def export(http: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, str]]:
    found = await http.get(f"{PROGRAM}/{path}", params=params)
    assert found.status_code == 200, found.text
    return list(csv.DictReader(io.StringIO(found.text)))


async def load(http: httpx.AsyncClient, path: str, text: str) -> httpx.Response:
    """Import a CSV file."""
    return await http.post(f"{PROGRAM}/{path}", files={"upFile": ("file.csv", text)})
