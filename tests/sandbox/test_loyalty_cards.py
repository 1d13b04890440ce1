"""Loyalty cards, told through HTTP: issued, shared, blocked and replaced."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.sandbox.cards import (
    CARDS,
    PROGRAM,
    balances,
    card_of,
    change,
    codes,
    issue,
    listed,
    refusal,
    rows,
)
from tests.sandbox.door import Time

pytestmark = pytest.mark.anyio
LIMIT = 4  # customers per card of program 7
CODES = {"couponPattern": "CARD-####", "validCharacters": list("AB12")}


async def import_csv(http: httpx.AsyncClient, text: str) -> httpx.Response:
    return await http.post(f"{PROGRAM}/import_cards", files={"upFile": ("cards.csv", text)})


async def link(shop: httpx.AsyncClient, code: str, customer: str) -> httpx.Response:
    url = f"/v2/loyalty_programs/7/cards/{code}/link_profile"
    return await shop.post(url, json={"integrationId": customer})


async def unlink(shop: httpx.AsyncClient, code: str, customer: str) -> httpx.Response:
    url = f"/v2/loyalty_programs/7/cards/{code}/unlink_profile"
    return await shop.post(url, json={"integrationId": customer})


# --- Issuing ------------------------------------------------------------------------------------


async def test_a_card_is_issued_read_listed_and_deleted(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    card = await issue(shop, customerProfileIds=["anna.schmidt", "newcomer"])
    assert (card["status"], card["programID"], card["usersPerCardLimit"]) == ("active", 7, LIMIT)
    assert [each["integrationId"] for each in card["profiles"]] == ["anna.schmidt", "newcomer"]
    assert card == await card_of(http, "NEW-1")
    assert await codes(http, identifier="NEW-1") == ["NEW-1"]
    assert (await shop.get("/v1/customer_profiles/newcomer/inventory")).status_code == 200

    assert (await http.delete(f"{CARDS}/NEW-1")).status_code == 204
    assert (await http.get(f"{CARDS}/NEW-1")).status_code == 404
    assert await codes(http, identifier="NEW-1") == []
    again = await issue(shop)
    assert (again["id"] > card["id"], again["profiles"]) == (True, []), "nothing of it is left"


async def test_a_card_without_an_identifier_has_one_of_the_programs_format(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    settings = (await http.get(PROGRAM)).json()["cardCodeSettings"]
    pattern = re.escape(settings["couponPattern"]).replace(r"\#", "[A-Z0-9]")

    card = (await shop.post(CARDS, json={"status": "inactive"})).json()

    assert re.fullmatch(pattern, card["identifier"])
    assert card["status"] == "inactive"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"cardIdentifier": "NEW-1"}, "/cardIdentifier"),
        ({"cardIdentifier": "no spaces"}, "/cardIdentifier"),
        ({"customerProfileIds": list("abcde")}, "/customerProfileIds"),
        ({"status": "blocked"}, "/status"),
    ],
)
async def test_a_refused_card_names_the_reason_and_is_not_there(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    await issue(shop)
    before = await codes(http)

    assert refusal(await shop.post(CARDS, json=body)) == (400, {"pointer": pointer})
    assert await codes(http) == before


async def test_a_profile_based_program_has_no_cards(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/loyalty_programs/5/cards")).status_code == 400
    assert (await http.get("/v1/loyalty_programs/99/cards")).status_code == 404


# --- Batches and files --------------------------------------------------------------------------


async def test_a_batch_has_as_many_different_codes_as_were_asked_for(
    http: httpx.AsyncClient,
) -> None:
    body = {"numberOfCards": 256, "batchId": "spring", "cardCodeSettings": CODES}

    created = await http.post(f"{CARDS}/batch", json=body | {"status": "inactive"})

    assert created.json() == {"numberOfCardsGenerated": 256, "batchId": "spring"}
    batch = await codes(http, batchId="spring")
    assert len(set(batch)) == 256, "all that the format has"
    assert all(re.fullmatch("CARD-[AB12]{4}", code) for code in batch)
    exported = await rows(http, "cards/export", batchId="spring")
    assert [row["identifier"] for row in exported] == batch
    assert {(row["generated"], row["status"]) for row in exported} == {("true", "inactive")}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"numberOfCards": 0}, "/numberOfCards"),
        ({"numberOfCards": 20_001}, "/numberOfCards"),
        (
            {"numberOfCards": 257, "cardCodeSettings": CODES},
            "/cardCodeSettings/couponPattern",
        ),
        (
            {"numberOfCards": 1, "cardCodeSettings": CODES | {"couponPattern": "###"}},
            "/cardCodeSettings/couponPattern",
        ),
        ({"numberOfCards": 1, "batchId": "a b c"}, "/batchId"),
    ],
)
async def test_a_refused_batch_leaves_no_card(
    http: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    before = await codes(http)

    assert refusal(await http.post(f"{CARDS}/batch", json=body)) == (400, {"pointer": pointer})
    assert await codes(http) == before


async def test_cards_are_imported_and_exported(http: httpx.AsyncClient) -> None:
    text = (
        "identifier,state,customerprofileids,attributes\n"
        'OLD-1,active,anna.schmidt;ben.weber,"{""preferredReward"": ""discount""}"\n'
        "OLD-2,inactive,,\n"
    )

    imported = await import_csv(http, text)

    assert imported.json()["amount"] == 2
    first, second = [
        row for row in await rows(http, "cards/export") if row["identifier"][:3] == "OLD"
    ]
    assert first["customerprofileids"] == "anna.schmidt;ben.weber"
    assert first["attributes"] == '{"preferredReward": "discount"}'
    assert list(second) == ["identifier", "created", "status", "userpercardlimit",
                            "customerprofileids", "blockreason", "generated", "batchid",
                            "attributes"]  # fmt: skip
    assert (second["status"], second["userpercardlimit"], second["generated"]) == (
        "inactive",
        str(LIMIT),
        "false",
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("identifier\nOLD-1\n", "1"),
        ("identifier,state,colour\nOLD-1,active,red\n", "1"),
        ("identifier,state\nOLD-1,active\nOLD-2,blocked\n", "3"),
        ("identifier,state\nOLD-1,active\nOLD-1,active\n", "3"),
        ("identifier,state\nNEW-1,active\n", "2"),
        ("identifier,state\nO 1,active\n", "2"),
        ("identifier,state,customerprofileids\nOLD-1,active,a;b;c;d;e\n", "2"),
        ("identifier,state,attributes\nOLD-1,active,[]\n", "2"),
        ('identifier,state,attributes\nOLD-1,active,"{""colour"": 1}"\n', "2"),
    ],
)
async def test_a_broken_import_names_its_line_and_changes_nothing(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, text: str, line: str
) -> None:
    await issue(shop)
    before = await codes(http)

    assert refusal(await import_csv(http, text)) == (400, {"line": line})
    assert await codes(http) == before


async def test_an_export_takes_cards_by_their_day(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    time.advance(days=1)
    await issue(shop)
    params = {"createdAfter": time.at(hours=-1), "createdBefore": time.at(hours=1)}

    [row] = await rows(http, "cards/export", dateFormat="excel", **params)

    assert (row["identifier"], row["created"]) == ("NEW-1", "2026-06-16 12:00:00")


# --- Finding ------------------------------------------------------------------------------------


async def test_cards_are_found_by_customer_and_page_by_page(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    profile = (await shop.put("/v2/customer_profiles/zoe", json={})).json()
    number = profile["customerProfile"]["id"] if "customerProfile" in profile else profile["id"]
    for code in ("ZOE-2", "ZOE-1", "ZOE-3"):
        await issue(shop, code, customerProfileIds=["zoe"])

    assert await codes(http, profileId=number) == ["ZOE-2", "ZOE-1", "ZOE-3"]
    assert await codes(http, profileId=number, sort="identifier", pageSize=2) == ["ZOE-1", "ZOE-2"]
    assert await codes(http, profileId=number, sort="-identifier", skip=2) == ["ZOE-1"]
    assert await codes(http, profileId=999_999) == []


# --- Customers ----------------------------------------------------------------------------------


async def test_customers_are_linked_up_to_the_limit_and_unlinked(
    shop: httpx.AsyncClient, time: Time
) -> None:
    await issue(shop)
    for customer in ("a", "b", "b", "c", "d"):
        linked = await link(shop, "NEW-1", customer)
        assert linked.status_code == 200, "who is linked already is no one more"
        time.advance(minutes=1)

    assert refusal(await link(shop, "NEW-1", "e")) == (400, {"pointer": "/integrationId"})
    left = (await unlink(shop, "NEW-1", "b")).json()["profiles"]
    assert [each["integrationId"] for each in left] == ["a", "c", "d"]
    assert left[0]["timestamp"] < left[1]["timestamp"]
    assert (await unlink(shop, "NEW-1", "b")).status_code == 404
    assert (await link(shop, "NEW-1", "e")).status_code == 200


async def test_a_program_is_for_its_applications_alone(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await issue(shop)

    assert (await link(shop, "NEW-2", "a")).status_code == 404
    assert (await shop.get("/v1/loyalty_programs/5/cards/NEW-1/balances")).status_code == 400


# --- Blocking and replacing ---------------------------------------------------------------------


async def test_a_card_is_blocked_and_unblocked(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    created = await issue(shop)
    time.advance(minutes=1)

    blocked = (await http.put(f"{CARDS}/NEW-1", json={"status": "inactive"})).json()
    assert (blocked["status"], blocked["modified"] > created["modified"]) == ("inactive", True)
    assert (await change(http, "NEW-1", "add_points", points=5)).status_code == 400
    assert (await change(http, "NEW-1", "deduct_points", points=5)).status_code == 400

    await http.put(f"{CARDS}/NEW-1", json={"status": "active"})
    assert (await change(http, "NEW-1", "add_points", points=5)).status_code == 204
    assert (await http.put(f"{CARDS}/NEW-1", json={"status": "blocked"})).status_code == 400
    assert (await http.put(f"{CARDS}/NEW-1", json={})).status_code == 400


async def test_a_transfer_moves_everything_and_blocks_the_old_card_for_good(
    http: httpx.AsyncClient, shop: httpx.AsyncClient, time: Time
) -> None:
    await issue(shop, customerProfileIds=["anna.schmidt", "ben.weber"])
    await change(http, "NEW-1", "add_points", points=100, validityDuration="10D")
    await change(http, "NEW-1", "add_points", points=30, pendingDuration="2D", subledgerId="bonus")
    await change(http, "NEW-1", "deduct_points", points=40)
    time.advance(hours=1)
    before = await card_of(http, "NEW-1")
    history = await listed(shop, "NEW-1", "transactions")
    points = await balances(shop, "NEW-1")

    body = {"newCardIdentifier": "NEW-2", "blockReason": "Lost"}
    assert (await http.put(f"{CARDS}/NEW-1/transfer", json=body)).status_code == 204

    old, new = await card_of(http, "NEW-1"), await card_of(http, "NEW-2")
    assert (old["status"], old["blockReason"], old["newCardIdentifier"]) == (
        "inactive",
        "Lost",
        "NEW-2",
    )
    assert (new["status"], new["oldCardIdentifier"]) == ("active", "NEW-1")
    assert "blockReason" not in new
    assert (old["profiles"], old["ledger"]["currentBalance"]) == ([], 0)
    for kept in ("profiles", "ledger", "subledgers"):
        assert new[kept] == before[kept]
    assert await balances(shop, "NEW-2") == points
    renamed = [each | {"cardIdentifier": "NEW-2"} for each in history]
    assert await listed(shop, "NEW-2", "transactions") == renamed
    assert await listed(shop, "NEW-1", "transactions") == []

    await check_replaced(http, shop)
    time.advance(days=3)
    assert (await balances(shop, "NEW-2"))["subledgerBalances"]["bonus"]["activePoints"] == 30
    time.advance(days=8)
    assert (await balances(shop, "NEW-2"))["balance"]["expiredPoints"] == 60


async def check_replaced(http: httpx.AsyncClient, shop: httpx.AsyncClient) -> None:
    """NEW-1 can be neither activated, linked, used nor replaced once more."""
    activated = await http.put(f"{CARDS}/NEW-1", json={"status": "active"})
    assert refusal(activated) == (400, {"pointer": "/status"})
    assert (await link(shop, "NEW-1", "carla.rossi")).status_code == 400
    assert (await change(http, "NEW-1", "add_points", points=5)).status_code == 400
    again = await http.put(f"{CARDS}/NEW-1/transfer", json={"newCardIdentifier": "NEW-3"})
    assert again.status_code == 400
    assert await codes(http, identifier="NEW-3") == []


async def test_a_card_is_not_transferred_to_one_that_exists(
    http: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    await issue(shop, customerProfileIds=["anna.schmidt"])
    await issue(shop, "NEW-2")

    refused = await http.put(f"{CARDS}/NEW-1/transfer", json={"newCardIdentifier": "NEW-2"})

    assert refusal(refused) == (400, {"pointer": "/newCardIdentifier"})
    card = await card_of(http, "NEW-1")
    assert (card["status"], len(card["profiles"])) == ("active", 1)


async def test_the_inventory_has_a_customers_cards(shop: httpx.AsyncClient) -> None:
    await issue(shop, customerProfileIds=["zoe"])

    found = await shop.get("/v1/customer_profiles/zoe/inventory", params={"loyalty": "true"})

    assert [card["identifier"] for card in found.json()["loyalty"]["cards"]] == ["NEW-1"]
