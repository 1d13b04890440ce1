"""What of a person is left to see, and what of everything else."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.masking import mask_arguments, mask_personal

EMAILS = {
    "anna.schmidt@example.com": "a***@example.com",
    "anna+summer@mail.example.co.uk": "a***@mail.example.co.uk",
    "a@b.de": "a***@b.de",
    "jürgen@müller.de": "j***@müller.de",
    "用户@例子.中国": "用***@例子.中国",
    "ivan@xn--e1afmkfd.xn--p1ai": "i***@xn--e1afmkfd.xn--p1ai",
    "ask anna@example.com, or <ben@example.org>.": "ask a***@example.com, or <b***@example.org>.",
    "anna@example.com;ben@example.com": "a***@example.com;b***@example.com",
    "/v2/customer_profiles/anna%40example.com": "/v2/customer_profiles/a***%40example.com",
    "x%40anna@example.com": "x%40a***@example.com",
    "?email=anna@example.com&page=2": "?email=a***@example.com&page=2",
    "'anna@example.com'": "'a***@example.com'",
    "**anna@example.com**": "**a***@example.com**",
    "O'Brien@example.com": "O***@example.com",
    "x" * 300 + "@example.com": "x***@example.com",
}
NO_EMAILS = ["user@", "@handle", "@example.com", "a@1.2", "a@1.x", "left-pad@1.3.0-beta.2",
             "root@localhost", "a @ example.com", "20 % @ 3 p.m."]  # fmt: skip

PHONES = {
    "+49 151 2345 6789": "***89",
    "+4915123456789": "***89",
    "+49 (0)151 2345-6789": "***89",
    "+49\u00a0151\u00a02345\u00a06789": "***89",
    "+1.555.123.4567": "***67",
    "+1 (555) 123-4567": "***67",
    "0049 151 23456789": "***89",
    "00491512345678": "***78",
    "0049-1234-5678": "***78",
    "(030) 1234-567": "***67",
    "(+49) 151 2345678": "***78",
    "0151 23456789": "***89",
    "030/1234567": "***67",
    "030 / 1234567": "***67",
    "06 12 34 56 78": "***78",
    "06.12.34.56.78": "***78",
    "612 345 678": "***78",
    "1 555 123-4567": "***67",
    "tel:+4915123456789": "tel:***89",
    "Call 0151 2345678, or +49 30 1234567.": "Call ***78, or ***67.",
    "+49 151 2345 6789 2026-11-22": "***89 2026-11-22",
}
NO_PHONES = [
    "555567088", "12345678901234567890", "0000001234567", "1763800000000", "+5 points", "+12 3456",
    "2026-11-22", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00+01:00", "12:30", "2026-11-22 12:30",
    "2026-11-22 2026-12-31", "22.11.2026 12:30", "01-02-2026 12:30", "2026 11 22", "22 11 2026",
    "2026-11-22 1234567", "Sale (20) 2026-11-22", "SUMMER-HL0D-G8RG", "4111-22AB", "2024-0001-7788",
    "4111-2222-3333-4444", "AB-0049123456", "0049123456-AB", "4111-2222 and 4111-3333",
    "00123456-7890-4abc-8def-001234567890", "00123456-7890-1234-5678-901234567890",
    "12 00123456-7890-1234-5678-901234567890", "12345 12345 12345 12345",
    "004912345678abcdef", "192.168.100.200", "10.0.0.1 10.0.0.2", "1.22.333", "4.17.2100",
    "1 000 000", "12 500 000 EUR", "1 234 567,89", "612 345 678.90", "1,234,567.89", "1234567.89",
    "555567088 555567089", "(1) 555567088", "(030) 123", "12:30 55 123",
    "05 11 26 12:30", "2+5551234567", "f(123) 45678",
]  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), (EMAILS | PHONES).items())
def test_addresses_and_numbers_are_masked_wherever_they_stand(text: str, masked: str) -> None:
    value = {"note": text, "integrationId": text, "list": [[text]], text: 1}

    expected = {"note": masked, "integrationId": masked, "list": [[masked]], masked: 1}
    assert mask_personal(value) == expected
    assert mask_personal(expected) == expected


@pytest.mark.parametrize("text", NO_EMAILS + NO_PHONES)
def test_what_only_looks_like_one_stays(text: str) -> None:
    value = {"value": text, "id": [text], text: text}

    assert mask_personal(value) == value


PHONE_KEYS = ["phone", "Phone", "phoneNumber", "phone_number", "customer-phone", "mobile",
              "Mobile No", "mobilePhone", "tel", "telephone", "fax", "faxNumber", "msisdn",
              "MSISDN", "phone2", "phones", "phoneHome"]  # fmt: skip
NO_PHONE_KEYS = ["hotel", "automobile", "telemetry", "phoneModel", "faxed", "code", "id", "number"]


@pytest.mark.parametrize("key", PHONE_KEYS)
def test_under_a_key_that_says_phone_every_form_is_masked(key: str) -> None:
    for number in (
        "555567088",
        "2024-0001-7788",
        "15123456789",
        "01512345689",
        "4567",
        "0151-x-89",
    ):
        assert mask_personal({key: number}) == {key: f"***{number[-2:]}"}
    assert mask_personal({key: 15123456789}) == {key: "***89"}
    assert mask_personal({key: ["555567088", None, True]}) == {key: ["***88", None, True]}
    assert mask_personal({key: [{"value": "555567088", "type": "work", "code": "1-2-3"}]}) == {
        key: [{"value": "***88", "type": "work", "code": "1-2-3"}]
    }
    assert mask_personal({key: "see anna@example.com"}) == {key: "see a***@example.com"}


@pytest.mark.parametrize("key", NO_PHONE_KEYS)
def test_other_keys_do_not_say_phone(key: str) -> None:
    assert mask_personal({key: "555567088"}) == {key: "555567088"}
    assert mask_personal({key: 555567088}) == {key: 555567088}


NAME_KEYS = ["firstName", "first_name", "FIRST-NAME", "last name", "fullname", "surname",
             "givenName", "familyName", "middleName", "displayName", "userName", "nickname",
             "birthName", "customerName", "contactName", "recipientName", "salutationName",
             "billingFirstName", "advocateName", "createdBy", "updatedBy"]  # fmt: skip


@pytest.mark.parametrize("key", NAME_KEYS)
def test_a_name_keeps_the_first_letter_of_each_word(key: str) -> None:
    names = ["Anna Schmidt", "Ana-Maria", " Ö  B", ""]
    masked = ["A*** S***", "A***", " Ö***  B***", ""]

    assert mask_personal({key: names[0]}) == {key: masked[0]}
    assert mask_personal({key: names}) == {key: masked}
    assert mask_personal({key: masked}) == {key: masked}
    assert mask_personal({key: 6}) == {key: 6}


def test_an_address_as_a_user_name_is_masked_as_an_address() -> None:
    assert mask_personal({"userName": "anna@example.com"}) == {"userName": "a***@example.com"}


OF_PEOPLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"integrationId": "c7", "attributes": {"Name": "Anna Schmidt", "Tier": "Gold One"}},
     {"integrationId": "c7", "attributes": {"Name": "A*** S***", "Tier": "Gold One"}}),
    ({"profileId": "c7", "attributes": {"name": "Anna"}},
     {"profileId": "c7", "attributes": {"name": "A***"}}),
    ({"customer": {"name": "Anna", "attributes": {"name": "Anna"}}},
     {"customer": {"name": "A***", "attributes": {"name": "A***"}}}),
    ({"profile": {"name": {"first": "Anna", "formatted": "Dr. Anna"}}},
     {"profile": {"name": {"first": "A***", "formatted": "D*** A***"}}}),
    ({"members": [{"name": "Anna", "display": "Anna S"}]},
     {"members": [{"name": "A***", "display": "A*** S***"}]}),
    ({"customerId": 7, "name": "Anna", "campaignName": "Summer"},
     {"customerId": 7, "name": "A***", "campaignName": "Summer"}),
    *(({key: {"name": "Anna"}}, {key: {"name": "A***"}})
      for key in ("profile", "advocate", "friend", "user", "member", "User")),
]  # fmt: skip


@pytest.mark.parametrize(("value", "masked"), OF_PEOPLE)
def test_a_plain_name_is_a_persons_beside_what_makes_it_one(
    value: dict[str, Any], masked: dict[str, Any]
) -> None:
    assert mask_personal(value) == masked
    assert mask_personal({"data": [value]}) == {"data": [masked]}


OF_THINGS: list[Any] = [
    {"id": 1, "name": "Summer promotions", "attributes": {"name": "Summer"}},
    {"value": "CODE", "recipientIntegrationId": "c7", "attributes": {"name": "Summer"}},
    {"integrationId": "s1", "name": "Store Berlin", "cartItems": [{"name": "Shoes"}]},
    {"integrationId": "s1", "attributes": {"favourite": {"name": "Shoes"}}},
    {"customer": {"loyaltyPrograms": [{"name": "Gold"}], "campaign": {"name": "Summer"}}},
    {"campaignName": "Summer", "programName": "Gold", "ruleName": "R", "title": "Anna's"},
    {"displayName": "20% off", "displayDescription": "all shoes"},
    {"applicationName": "Webshop DE", "filename": "a b", "emailAddress": "", "ipAddress": "::1"},
    {
        "birthday": None,
        "birthdate": "",
        "dob": 3,
        "street": ["", 5],
        "city": "Bonn",
        "zip": "53111",
        "postcode": "5",
    },
]


@pytest.mark.parametrize("value", OF_THINGS)
def test_the_names_of_things_stay_readable(value: Any) -> None:
    assert mask_personal(value) == value


def test_in_answers_about_users_a_plain_name_is_a_persons() -> None:
    users = {"data": [{"name": "Anna Schmidt", "email": "anna@example.com", "roles": [3]}]}
    role = {"data": [{"name": "Managers", "members": [1], "permissions": {}}]}
    group = {"displayName": "Managers", "members": [{"display": "Anna Schmidt"}]}
    rights = {"name": "Anna", "applications": [{"name": "Shop"}], "roles": [{"name": "Managers"}]}

    assert mask_personal(users) == {"data": [users["data"][0] | {"email": "a***@example.com"}]}
    assert mask_personal(users, people=True) == {
        "data": [{"name": "A*** S***", "email": "a***@example.com", "roles": [3]}]
    }
    assert mask_personal(role, people=True) == role
    assert mask_personal(group, people=True) == group | {"members": [{"display": "A*** S***"}]}
    assert mask_personal(rights, people=True) == rights | {"name": "A***"}
    assert mask_personal([{"name": "Anna"}], people=True) == [{"name": "A***"}]


@pytest.mark.parametrize(
    "key", ["birthdate", "Birth_Date", "dateOfBirth", "birthday", "dob", "DOB"]
)
def test_dates_of_birth(key: str) -> None:
    assert mask_personal({key: "1990-05-17"}) == {key: "[date]"}
    assert mask_personal({key: "[date]"}) == {key: "[date]"}


@pytest.mark.parametrize(
    "key", ["street", "address", "addressLine1", "address_line_2", "shippingAddress", "Street"]
)
def test_streets(key: str) -> None:
    assert mask_personal({key: "Hauptstr. 5"}) == {key: "[address]"}
    assert mask_personal({key: {"street": "Hauptstr. 5", "city": "Bonn", "zip": "53111"}}) == {
        key: {"street": "[address]", "city": "Bonn", "zip": "53111"}
    }


def test_customers_who_look_alike_when_masked_stay_apart() -> None:
    points = {"anna@example.com": 1, "adam@example.com": 2, "a***@example.com (2)": 3, "id": 4}
    masked = mask_personal(points)

    assert list(masked.values()) == [1, 2, 3, 4]
    assert next(iter(masked)) == "a***@example.com"
    assert all(key.startswith("a***@example.com (") for key in [*masked][1:3])
    assert mask_personal(masked) == masked


def test_no_depth_is_too_much() -> None:
    value: Any = "anna@example.com"
    for _ in range(5_000):
        value = {"list": [value]}

    assert "(nested too deeply to show)" in str(mask_personal(value))


def test_the_value_itself_is_left_alone() -> None:
    value = {"email": "anna@example.com", "list": [{"firstName": "Anna"}]}

    mask_personal(value)

    assert value == {"email": "anna@example.com", "list": [{"firstName": "Anna"}]}


def kept(catalog: Catalog, tool: str, **arguments: Any) -> dict[str, Any]:
    return mask_arguments(catalog.operations[tool], arguments)


def test_the_audit_log_holds_no_secret(catalog: Catalog) -> None:
    given = {"password": "hunter2", "resetToken": ["x"]}

    assert kept(catalog, "reset_password", **given) == dict.fromkeys(given, "[secret]")
    assert kept(
        catalog,
        "create_points_notification",
        webhook={"url": "https://a.example", "headers": ["Authorization: Bearer abc", "abc"]},
        headers={"X-Key": "abc"},
    ) == {
        "webhook": {"url": "https://a.example", "headers": ["Authorization: [secret]", "[secret]"]},
        "headers": {"X-Key": "[secret]"},
    }


def test_the_audit_log_says_which_csv_it_was(catalog: Catalog) -> None:
    text = "value\nanna@example.com\n\ud800\n"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    assert kept(catalog, "import_coupons", campaignId=3, csv=text, csvPath="a b.csv") == {
        "campaignId": 3,
        "csv": f"[3 lines, sha256 {digest[:12]}]",
        "csvPath": "a b.csv",
    }


def test_a_digest_is_no_phone_number(catalog: Catalog) -> None:
    """A beginning of digits alone is rare; this is the first such text."""
    text = next(
        text
        for text in map(str, range(10**6))
        if (digest := hashlib.sha256(text.encode()).hexdigest()[:12]).isdigit()
        and digest.startswith("00")
        and digest[2] != "0"
    )

    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    assert kept(catalog, "import_coupons", csv=text) == {"csv": f"[1 lines, sha256 {digest}]"}


def test_the_audit_log_masks_people(catalog: Catalog) -> None:
    assert kept(catalog, "update_user", userId=5, name="Anna Schmidt") == {
        "userId": 5,
        "name": "A*** S***",
    }
    assert kept(catalog, "list_customer_activity_reports", name="Anna", campaignName="Summer") == {
        "name": "A***",
        "campaignName": "Summer",
    }
    assert kept(catalog, "update_campaign", name="Summer sale") == {"name": "Summer sale"}
    assert kept(
        catalog,
        "update_customer_profile",
        integrationId="anna@example.com",
        attributes={"Name": "Anna", "Phone": "555567088"},
    ) == {"integrationId": "a***@example.com", "attributes": {"Name": "A***", "Phone": "***88"}}


def test_the_audit_log_keeps_the_beginning_of_what_is_long(catalog: Catalog) -> None:
    assert kept(
        catalog,
        "update_campaign",
        name="n" * 200,
        description="d" * 201,
        tags=[*"abcdefghijklmnopqrst"],
        campaignGroups=[{"deep": [*range(23)]}, *range(20)],
        note="x" * 195 + " anna@example.com",
    ) == {
        "name": "n" * 200,
        "description": "d" * 200 + "... (201 characters)",
        "tags": [*"abcdefghijklmnopqrst"],
        "campaignGroups": [{"deep": [*range(20), "[and 3 more]"]}, *range(19), "[and 1 more]"],
        "note": "x" * 195 + " a***... (212 characters)",
    }


def test_two_arguments_that_look_alike_when_masked_are_both_kept(catalog: Catalog) -> None:
    log = kept(
        catalog, "import_coupons", **{"anna@a.de": 1, "adam@a.de": 2, "csv": "x", "id": None}
    )

    assert [*log][:2] == ["a***@a.de", "a***@a.de (2)"]
    assert log["id"] is None
    assert log["csv"].startswith("[1 lines")
