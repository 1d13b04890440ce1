"""`issue_coupon` gives one code, of a campaign that can give one, and never two by mistake."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import SANDBOX_KEY
from tests.desk import NO, Desk, open_desk

pytestmark = pytest.mark.anyio
ANNA, SHOP, WELCOME = "anna.schmidt", 42, 19
CREATE = "POST /v1/applications/42/campaigns/19/coupons"
SERIES = 544770  # of Capillary
CREATED = 12  # coupons of the campaign before any test
URL = "https://acme.example"
PLATFORM_ALONE = {
    "TALONONE_BASE_URL": URL,
    "TALONONE_THIRD_PARTY_URL": URL,
    "TALONONE_THIRD_PARTY_KEY": SANDBOX_KEY,
    "TALONONE_PLATFORM_NAME": "platform",
}
MANAGEMENT_ALONE = {"TALONONE_BASE_URL": URL, "TALONONE_MANAGEMENT_KEY": SANDBOX_KEY}


async def issue(desk: Desk, **arguments: Any) -> dict[str, Any]:
    """Issue a code of the campaign for returning customers to Anna, unless told otherwise."""
    usual = {"customer": ANNA, "campaign": WELCOME, "applicationId": SHOP}
    return await desk.call("issue_coupon", **usual | arguments)


async def refused(desk: Desk, **arguments: Any) -> dict[str, Any]:
    """Try to, and return the error; nothing was written."""
    usual = {"customer": ANNA, "campaign": WELCOME, "applicationId": SHOP}
    error = await desk.error("issue_coupon", **usual | arguments)
    assert writes(desk) == []
    return error


def writes(desk: Desk) -> list[str]:
    """Return what was sent to issue a code."""
    issuing = re.compile(r"POST .*/coupons$|/customer_engagement/|/coupon/issue$")
    return [each for each in desk.account.requests if issuing.search(each)]


async def coupon(desk: Desk, code: str, application: int = SHOP) -> dict[str, Any]:
    """Return a coupon as the ordinary read shows it."""
    found = await desk.call(
        "search_coupons", applicationId=application, value=code, exactMatch=True, fields=["*"]
    )
    [only] = found["data"]
    return dict(only)


async def change(desk: Desk, **settings: Any) -> None:
    """Change settings of the campaign."""
    campaign = await desk.call("get_campaign", applicationId=SHOP, campaignId=WELCOME, fields=["*"])
    known = ("name", "tags", "limits", "features", "state", "startTime", "couponSettings")
    given = {name: campaign[name] for name in known} | settings
    await desk.call("update_campaign", applicationId=SHOP, campaignId=WELCOME, **given)
    desk.account.requests.clear()


async def redeem(desk: Desk, code: str) -> None:
    """Buy something with a code."""
    items = [{"name": "Coat", "sku": "SKU-001", "quantity": 1, "price": 100}]
    session = {"profileId": ANNA, "couponCodes": [code], "cartItems": items, "state": "closed"}
    await desk.call(
        "update_customer_session",
        customerSessionId=f"bought-with-{code}",
        customerSession=session,
    )


# --- A code is issued --------------------------------------------------------------------------


@pytest.mark.parametrize("campaign", [WELCOME, str(WELCOME), "Welcome back", "welcome BACK"])
async def test_the_code_exists_as_it_was_answered(desk: Desk, campaign: int | str) -> None:
    answer = await issue(desk, campaign=campaign, expiryDate="2026-08-01T00:00:00Z")

    assert answer["issued"] is True
    assert answer["campaign"]["id"] == WELCOME
    assert answer["campaign"]["name"] == "Welcome back"
    stored = await coupon(desk, answer["code"])
    assert stored["id"] == answer["couponId"]
    assert stored["campaignId"] == WELCOME
    assert stored["recipientIntegrationId"] == ANNA == answer["recipientIntegrationId"]
    assert stored["usageLimit"] == answer["usageLimit"] == 1
    assert stored["expiryDate"] == answer["expiryDate"] == answer["validUntil"]
    assert "notes" not in answer


async def test_it_takes_few_requests(desk: Desk) -> None:
    await issue(desk, validDays=7)
    assert len(desk.account.requests) == 5

    desk.account.requests.clear()
    await desk.call("issue_coupon", customer="ben.olsen", campaign="Welcome back")
    assert len(desk.account.requests) <= 6


async def test_the_terms_are_those_that_were_asked_for(desk: Desk) -> None:
    terms = {
        "usageLimit": 0,
        "startDate": "2026-07-01T00:00:00Z",
        "expiryDate": "2026-08-01T00:00:00Z",
        "attributes": {"channel": "support"},
    }

    answer = await issue(desk, bound=False, **terms)

    stored = await coupon(desk, answer["code"])
    assert {name: stored[name] for name in terms} == terms
    assert "recipientIntegrationId" not in stored
    assert "recipientIntegrationId" not in answer


@pytest.mark.parametrize(
    ("application", "campaign", "end"),
    [(42, 19, "2026-06-22T21:59:59Z"), (43, 31, "2026-06-23T03:59:59Z")],
)
async def test_days_end_where_the_application_is(
    desk: Desk, application: int, campaign: int, end: str
) -> None:
    answer = await issue(desk, applicationId=application, campaign=campaign, validDays=7)

    assert (await coupon(desk, answer["code"], application))["expiryDate"] == end


async def test_a_code_is_valid_no_longer_than_its_campaign(desk: Desk) -> None:
    answer = await issue(desk, campaign=18, expiryDate="2027-01-01T00:00:00Z")

    assert answer["validUntil"] == "2026-07-15T00:00:00Z"
    answer = await issue(desk, campaign=18, expiryDate="2026-07-01T00:00:00Z", another=True)
    assert answer["validUntil"] == "2026-07-01T00:00:00Z"


async def test_a_customer_who_was_never_seen_is_said(desk: Desk) -> None:
    answer = await issue(desk, customer="a new / customer?é")

    [note] = answer["notes"]
    assert "not seen this customer" in note
    stored = await coupon(desk, answer["code"])
    assert stored["recipientIntegrationId"] == "a new / customer?é"


async def test_a_mask_hides_the_customer(catalog: Catalog) -> None:
    async with open_desk(catalog, mask_pii=True) as desk:
        answer = await issue(desk, customer="anna@example.com")

    assert "anna@" not in str(answer)
    assert answer["code"].startswith("BACK-")


# --- Not two by mistake ------------------------------------------------------------------------


async def test_who_holds_an_unused_code_gets_that(desk: Desk) -> None:
    first = await issue(desk)
    desk.account.requests.clear()

    second = await issue(desk)

    assert second["issued"] is False
    assert second["code"] == first["code"]
    assert writes(desk) == []
    third = await issue(desk, another=True)
    assert third["issued"] is True
    assert third["code"] != first["code"]


async def test_a_code_that_was_used_is_not_held(desk: Desk) -> None:
    first = await issue(desk)
    await redeem(desk, first["code"])

    assert (await issue(desk))["issued"] is True


async def test_a_code_that_was_used_in_part_is_not_held(desk: Desk) -> None:
    first = await issue(desk, usageLimit=5)
    await redeem(desk, first["code"])

    assert (await issue(desk))["issued"] is True


async def test_a_code_that_has_expired_is_not_held(desk: Desk) -> None:
    await issue(desk, expiryDate="2026-06-16T00:00:00Z")
    assert (await issue(desk))["issued"] is False

    desk.time.advance(days=1)

    assert (await issue(desk))["issued"] is True


async def test_a_code_of_another_campaign_is_not_held(desk: Desk) -> None:
    await issue(desk, campaign=26)

    assert (await issue(desk))["issued"] is True


async def test_of_several_held_the_one_that_is_good_now_is_shown(desk: Desk) -> None:
    await issue(desk, startDate="2026-07-01T00:00:00Z")
    good = await issue(desk, another=True)

    held = await issue(desk)

    assert held["code"] == good["code"]
    assert held["held"] == 2


async def test_an_identifier_gets_the_same_code_again(desk: Desk) -> None:
    first = await issue(desk, identifier="anna-complaint-7")
    second = await issue(desk, identifier="anna-complaint-7")
    other = await issue(desk, identifier="anna-complaint-8")

    assert (first["issued"], second["issued"], other["issued"]) == (True, False, True)
    assert first["code"] == second["code"] != other["code"]
    assert (await coupon(desk, first["code"]))["recipientIntegrationId"] == ANNA


@pytest.mark.parametrize(
    ("other", "conflicts"),
    [({"customer": "ben.olsen"}, True), ({"campaign": 26}, True),
     ({"customer": "ben.olsen", "bound": False}, True), ({}, False), ({"bound": False}, False)],
    ids=str,
)  # fmt: skip
async def test_an_identifier_of_another_code_gets_none(
    desk: Desk, other: dict[str, Any], conflicts: bool
) -> None:
    first = await issue(desk, **other, identifier="reused")
    if not conflicts:
        again = await issue(desk, **other, identifier="reused")
        assert again["code"] == first["code"]
        assert again.get("issued") is (None if "bound" in other else False)
        return

    error = await desk.error(
        "issue_coupon", customer=ANNA, campaign=WELCOME, applicationId=SHOP, identifier="reused"
    )

    assert error["kind"] == "conflict"
    assert first["code"] not in str(error)


async def test_an_identifier_whose_code_is_used_up_says_so(desk: Desk) -> None:
    first = await issue(desk, identifier="once")
    await redeem(desk, first["code"])

    [note] = (await issue(desk, identifier="once"))["notes"]

    assert note.endswith("used_up.")


async def test_an_identifier_needs_the_third_party_key(catalog: Catalog) -> None:
    async with open_desk(catalog, environment=MANAGEMENT_ALONE) as desk:
        assert (await issue(desk))["issued"] is True
        error = await desk.error(
            "issue_coupon", customer=ANNA, campaign=WELCOME, applicationId=SHOP, identifier="a"
        )

    assert error["kind"] == "not_configured"
    assert "TALONONE_THIRD_PARTY_KEY" in error["hint"]


@pytest.mark.parametrize("more", [{}, {"identifier": "a"}])
async def test_a_dry_run_keeps_nothing(desk: Desk, more: dict[str, str]) -> None:
    answer = await issue(desk, dryRun=True, validDays=3, **more)

    assert answer["dryRun"] is True
    assert answer["issued"] is False
    assert answer["expiryDate"].startswith("2026-06-18T21:59:59")
    assert "code" not in answer  # it would be one that does not exist
    campaign = await desk.call("get_campaign", applicationId=SHOP, campaignId=WELCOME)
    assert campaign["couponCreationCount"] == CREATED


# --- What keeps a campaign from giving one -----------------------------------------------------


@pytest.mark.parametrize(
    ("campaign", "reason"),
    [
        (20, "campaign_scheduled: state scheduled, startTime 2026-07-05"),
        (21, "campaign_expired: state expired, startTime"),
        (22, "campaign_archived"),
        (23, "campaign_disabled"),
        (25, "coupons_off"),
    ],
)
async def test_a_campaign_that_cannot_give_one(desk: Desk, campaign: int, reason: str) -> None:
    error = await refused(desk, campaign=campaign)

    assert error["kind"] == "conflict"
    [detail] = error["details"]
    assert detail["problem"].startswith(reason)
    assert f"({campaign})" in error["message"]


def limit(action: str, most: float, *entities: str, **more: str) -> dict[str, Any]:
    return {"action": action, "limit": most, "entities": [*entities], **more}


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ([limit("createCoupon", CREATED)], "refused"),
        ([limit("createCoupon", CREATED, "Coupon")], "refused"),
        ([limit("createCoupon", CREATED + 1)], "issued"),
        ([limit("createCoupon", CREATED, "Profile")], "issued"),
        ([limit("createCoupon", CREATED, period="monthly")], "unchecked"),
        ([limit("redeemCoupon", 0)], "refused"),
        ([limit("setDiscount", 0)], "refused"),
        ([limit("createReferral", 0)], "issued"),
        ([], "issued"),
    ],
    ids=str,
)
async def test_budgets(desk: Desk, limits: list[dict[str, Any]], outcome: str) -> None:
    await change(desk, limits=limits)

    if outcome == "refused":
        error = await refused(desk)
        assert error["kind"] == "conflict"
        assert error["details"][0]["problem"].startswith("campaign_out_of_budget")
        return
    answer = await issue(desk)
    assert answer["issued"] is True
    assert ("unchecked" in answer) is (outcome == "unchecked")


async def test_every_reason_is_named(desk: Desk) -> None:
    await change(desk, state="disabled", features=["referrals"], limits=[limit("createCoupon", 1)])

    reasons = [each["problem"].partition(":")[0] for each in (await refused(desk))["details"]]

    assert reasons == ["campaign_disabled", "campaign_out_of_budget", "coupons_off"]


async def test_of_two_campaigns_of_the_same_name_none_is_chosen(desk: Desk) -> None:
    copied = {"applicationIds": [SHOP], "name": "welcome back"}
    await desk.call("copy_campaign", applicationId=SHOP, campaignId=18, **copied)
    desk.account.requests.clear()

    error = await refused(desk, campaign="WELCOME BACK")

    assert {each["campaignId"] for each in error["details"]} == {"19", "33"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"expiryDate": "2026-06-15T11:59:59Z"},
        {"campaign": 18, "startDate": "2026-07-15T00:00:00Z"},
        {"validDays": 1, "startDate": "2026-06-17T00:00:00Z"},
        {"validDays": 1, "expiryDate": "2026-06-17T00:00:00Z"},
        {"validDays": -1},
        {"usageLimit": -1},
        {"usageLimit": 1_000_000},
        {"usageLimit": 1_000_000, "dryRun": True},
        {"validDays": 1, "startDate": "2026-06-17T00:00:00Z", "dryRun": True},
        {"startDate": "2026-06-18T00:00:00Z", "expiryDate": "2026-06-17T00:00:00Z"},
        {"seriesId": 7},
        {"customer": ""},
        {"customer": "x" * 1001},
        {"attributes": {"no such attribute": 1}},
    ],
    ids=str,
)
async def test_terms_that_make_no_sense(desk: Desk, arguments: dict[str, Any]) -> None:
    usual = {"customer": ANNA, "campaign": WELCOME, "applicationId": SHOP}
    error = await desk.error("issue_coupon", **usual | arguments)

    assert error["kind"] == "invalid_arguments"
    campaign = await desk.call("get_campaign", applicationId=SHOP, campaignId=WELCOME)
    assert campaign["couponCreationCount"] == CREATED


async def test_a_campaign_or_a_series_is_needed(desk: Desk) -> None:
    error = await desk.error("issue_coupon", customer=ANNA)

    assert "seriesId" in error["details"][0]["problem"]


async def test_a_server_that_only_reads_issues_nothing(catalog: Catalog) -> None:
    async with open_desk(catalog, read_only=True) as desk:
        assert (await refused(desk))["kind"] == "blocked"
        assert desk.account.requests == []


# --- When a request fails ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize(
    "request_", ["campaigns/19$", "coupons/no_total$"], ids=["campaign", "coupons held"]
)
async def test_what_cannot_be_checked_is_not_issued(desk: Desk, request_: str, status: int) -> None:
    desk.account.fail(f"GET .*/{request_}", status)

    assert (await refused(desk))["kind"] == {403: "forbidden", 500: "upstream"}[status]


@pytest.mark.parametrize("request_", ["customers$", "applications/42$"])
async def test_what_can_be_done_without_is_said_to_be_missing(desk: Desk, request_: str) -> None:
    desk.account.fail(f"GET .*/{request_}", 403)

    answer = await issue(desk, validDays=7)

    assert answer["issued"] is True
    [missing] = answer["missing"]
    assert missing["kind"] == "forbidden"
    in_utc = request_ != "customers$"
    assert answer["expiryDate"] == ("2026-06-22T23:59:59Z" if in_utc else "2026-06-22T21:59:59Z")
    assert "notes" not in answer


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_arguments"), (500, "upstream"), (502, "outcome_unknown"),
                         (504, "outcome_unknown")],
)  # fmt: skip
async def test_a_write_is_tried_once(desk: Desk, status: int, kind: str) -> None:
    desk.account.fail(CREATE, status)

    error = await desk.error("issue_coupon", customer=ANNA, campaign=WELCOME, applicationId=SHOP)

    assert error["kind"] == kind
    assert desk.account.requests.count(CREATE) == 1
    if kind == "outcome_unknown":
        assert "list_coupons" in error["hint"]


# --- A person is asked where the operator wants that -------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_operator_can_have_every_code_confirmed(catalog: Catalog, mode: str) -> None:
    async with open_desk(catalog, mode=mode, confirm_coupons_above=0) as desk:
        answer = await issue(desk, validDays=7)

        assert answer["issued"] is True
        [question] = desk.questions
        assert question.startswith("Gives 1 code: ")
        assert 'campaign 19 "Welcome back"' in question


async def test_a_no_issues_nothing(catalog: Catalog) -> None:
    async with open_desk(catalog, answering=lambda _: NO, confirm_coupons_above=0) as desk:
        assert (await refused(desk))["kind"] == "declined"


async def test_a_code_by_days_is_the_same_call_when_its_approval_comes(catalog: Catalog) -> None:
    async with open_desk(catalog, answering=None, confirm_coupons_above=0) as desk:
        first = await refused(desk, validDays=8)
        desk.time.advance(minutes=9)
        second = await refused(desk, validDays=8)

    assert first["approval"]["id"] == second["approval"]["id"]


# --- Through the other APIs --------------------------------------------------------------------


async def test_the_third_party_key_alone_issues_unchecked(catalog: Catalog) -> None:
    async with open_desk(catalog, environment=PLATFORM_ALONE) as desk:
        first = await issue(desk, identifier="once", validDays=7)
        second = await issue(desk, identifier="once", campaign="19")

        assert first["code"] == second["code"]
        assert "issued" not in second  # nobody can tell
        assert "used before" in second["notes"][0]
        assert first["expiryDate"] == "2026-06-22T23:59:59Z"  # nobody says where the shop is
        assert first["recipientIntegrationId"] == ANNA
        assert first["campaign"] == {"id": WELCOME, "applicationId": SHOP}
        assert "state" in first["unchecked"][0]["problem"]
        assert set(desk.account.requests) == {"GET /customer_engagement/coupon"}


@pytest.mark.parametrize(
    ("arguments", "at"),
    [({"campaign": "Welcome back"}, ["campaign"]), ({"applicationId": None}, ["applicationId"]),
     ({"campaign": "x", "applicationId": None}, ["campaign", "applicationId"])],
    ids=str,
)  # fmt: skip
async def test_the_third_party_api_knows_ids_alone(
    catalog: Catalog, arguments: dict[str, Any], at: list[str]
) -> None:
    usual = {"customer": ANNA, "campaign": WELCOME, "applicationId": SHOP}
    given = {name: value for name, value in (usual | arguments).items() if value is not None}
    async with open_desk(catalog, environment=PLATFORM_ALONE) as desk:
        error = await desk.error("issue_coupon", **given)

        assert [each["at"] for each in error["details"]] == at
        assert desk.account.requests == []


async def test_a_dry_run_with_the_third_party_key_alone(catalog: Catalog) -> None:
    async with open_desk(catalog, environment=PLATFORM_ALONE) as desk:
        rehearsed = await issue(desk, identifier="a", dryRun=True)
        issued = await issue(desk, identifier="a")

        assert (await issue(desk, another=True))["issued"] is True

    assert rehearsed["dryRun"] is True
    assert "code" not in rehearsed
    assert issued["code"]


@pytest.mark.parametrize(
    ("customer", "by"),
    [("anna@example.com", {"email": "anna@example.com"}),
     ("+49 (151) 1234-5678", {"mobile": "4915112345678"}),
     ("C-1001", {"externalId": "C-1001"}),
     ("4915112345678", {"externalId": "4915112345678"})],
)  # fmt: skip
async def test_a_series_of_capillary(desk: Desk, customer: str, by: dict[str, str]) -> None:
    answer = await desk.call("issue_coupon", seriesId=SERIES, customer=customer)

    assert answer["issued"] is True
    assert answer["customerTakenFor"] == by
    assert answer["code"]
    assert answer["validUntil"]
    assert (answer["capillaryCustomerId"] == 555567088) is ("mobile" in by)
    assert desk.account.requests == ["POST /v2/coupon/issue"]


@pytest.mark.parametrize("name", ["identifier", "dryRun", "usageLimit", "validDays", "another"])
async def test_a_series_has_its_own_terms(desk: Desk, name: str) -> None:
    value: Any = {"identifier": "a", "dryRun": True, "another": True}.get(name, 1)

    error = await desk.error("issue_coupon", seriesId=SERIES, customer="a@b.de", **{name: value})

    assert [each["at"] for each in error["details"]] == [name]
    assert desk.account.requests == []


# --- The answer --------------------------------------------------------------------------------


async def test_every_part_of_an_answer_is_declared(desk: Desk, catalog: Catalog) -> None:
    declared = catalog.workflows["issue_coupon"].answer.keys()
    desk.account.fail("GET .*/applications/42$", 403)
    answers = [
        await issue(desk, validDays=3, attributes={"channel": "support"}),
        await issue(desk),
        await issue(desk, dryRun=True, another=True),
        await issue(desk, identifier="a"),
        await issue(desk, customer="nobody"),
        await desk.call("issue_coupon", seriesId=SERIES, customer="a@b.de"),
    ]

    assert {part for answer in answers for part in answer} - declared == set()


async def test_it_calls_what_it_says_that_it_uses(catalog: Catalog, tmp_path: Path) -> None:
    async with open_desk(catalog, state_dir=tmp_path, audit_reads=True) as desk:
        await issue(desk, validDays=3)
        await desk.call("issue_coupon", customer=ANNA, campaign="19", identifier="a")
        await desk.call("issue_coupon", customer="a@b.de", seriesId=SERIES)

    lines = map(json.loads, (tmp_path / "audit.jsonl").read_text().splitlines())
    called = {line["operation"] for line in lines if "via" in line}
    assert called == set(catalog.workflows["issue_coupon"].uses)
