"""SCIM as an identity provider uses it: RFC 7644 with upstream's shapes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio
SCIM = "/v1/provisioning/scim"
USERS, GROUPS = f"{SCIM}/Users", f"{SCIM}/Groups"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


async def create(http: httpx.AsyncClient, user_name: str, **settings: Any) -> dict[str, Any]:
    created = await http.post(USERS, json={"userName": user_name} | settings)
    assert created.status_code == 201, created.text
    resource: dict[str, Any] = created.json()
    return resource


async def patch(http: httpx.AsyncClient, url: str, *operations: dict[str, Any]) -> httpx.Response:
    return await http.patch(url, json={"schemas": [PATCH], "Operations": operations})


async def listed(http: httpx.AsyncClient, url: str, **query: Any) -> dict[str, Any]:
    found = await http.get(url, params=query)
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


async def test_a_provisioned_user_is_a_user_of_the_account(http: httpx.AsyncClient) -> None:
    created = await create(
        http, "ada@example.com", displayName="Ada", name={"formatted": "Ada Lovelace"}
    )
    assert (created["active"], created["name"]) == (True, {"formatted": "Ada Lovelace"})
    url = f"{USERS}/{created['id']}"
    assert (await http.get(url)).json() == created
    shown = (await http.get(f"/v1/users/{created['id']}")).json()
    assert (shown["email"], shown["name"], shown["state"]) == ("ada@example.com", "Ada", "active")

    replaced = (await http.put(url, json={"userName": "ada.l@example.com", "active": False})).json()

    assert (replaced["userName"], replaced["displayName"]) == ("ada.l@example.com", "")
    assert "name" not in replaced, "a PUT clears what it leaves out"
    assert (await http.get(f"/v1/users/{created['id']}")).json()["state"] == "deactivated"
    again = (await http.put(url, json={"userName": "ada@example.com"})).json()
    assert again["active"] is False, "nobody comes back in because a PUT says nothing of it"
    assert (await http.delete(url)).status_code == 204
    assert (await http.get(url)).status_code == 404


async def test_only_provisioned_users_and_groups_are_shown(http: httpx.AsyncClient) -> None:
    users, groups = await listed(http, USERS), await listed(http, GROUPS)

    assert {each["userName"] for each in users["Resources"]} == {
        "john.doe@example.com",
        "priya.nair@example.com",
    }
    assert [each["displayName"] for each in groups["Resources"]] == ["Managers"]
    assert (await http.get(f"{USERS}/388")).status_code == 404
    assert (await http.delete(f"{GROUPS}/1")).status_code == 404


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "replace", "path": "active", "value": "False"}], {"active": False}),
        ([{"op": "replace", "path": "displayName", "value": "Ada L."}], {"displayName": "Ada L."}),
        ([{"op": "replace", "path": "userName", "value": "b@example.com"}],
         {"userName": "b@example.com"}),
        ([{"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:userName",
           "value": "c@example.com"}], {"userName": "c@example.com"}),
        ([{"op": "add", "path": "name.formatted", "value": "Ada King"}],
         {"name": {"formatted": "Ada King", "givenName": "Ada"}}),
        ([{"op": "remove", "path": "name.givenName"}], {"name": {"formatted": "Ada"}}),
        ([{"op": "add", "path": "nickName", "value": "ada"}], {"nickName": "ada"}),
        ([{"op": "replace", "value": '{"active": false, "displayName": "Countess"}'}],
         {"active": False, "displayName": "Countess"}),
        ([{"op": "replace", "path": "active", "value": "false"},
          {"op": "replace", "path": "active", "value": "true"}], {"active": True}),
    ],
)  # fmt: skip
async def test_a_user_is_patched(
    http: httpx.AsyncClient, operations: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    before = await create(http, "ada@example.com", name={"formatted": "Ada"})
    url = f"{USERS}/{before['id']}"
    if "name" in expected:
        given = {"op": "add", "path": "name.givenName", "value": "Ada"}
        before = (await patch(http, url, given)).json()

    patched = await patch(http, url, *operations)

    assert patched.status_code == 200, patched.text
    assert patched.json() == before | expected
    assert (await http.get(url)).json() == patched.json()


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "remove"}, "noTarget"),
        ({"op": "remove", "path": "userName"}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"),
        ({"op": "replace", "path": "id", "value": "7"}, "mutability"),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": "x"}, "noTarget"),
        ({"op": "add", "value": "no object"}, "invalidValue"),
        ({"op": "replace", "path": "userName", "value": "no address"}, "invalidValue"),
        ({"op": "replace", "path": "userName", "value": "MAYA.KELLER@example.com"}, "uniqueness"),
    ],
)
async def test_a_patch_that_cannot_be_is_taken_back_as_a_whole(
    http: httpx.AsyncClient, operation: dict[str, Any], kind: str
) -> None:
    before = await create(http, "ada@example.com")
    url = f"{USERS}/{before['id']}"

    refused = await patch(http, url, {"op": "replace", "path": "active", "value": "false"},
                          operation)  # fmt: skip

    status = 409 if kind == "uniqueness" else 400
    assert (refused.status_code, refused.json()["StatusCode"]) == (status, status)
    assert refused.json()["scimType"] == kind
    assert refused.json()["status"] == str(status)
    assert refused.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert (await http.get(url)).json() == before


@pytest.mark.parametrize("name", ["john.doe@example.com", "Sandbox.User@Example.com"])
async def test_a_user_name_is_taken_whatever_its_case(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.post(USERS, json={"userName": name})).status_code == 409


async def members(http: httpx.AsyncClient, url: str) -> list[str]:
    return [each["value"] for each in (await http.get(url)).json()["members"]]


async def test_a_group_is_a_role_and_its_members_are_users(http: httpx.AsyncClient) -> None:
    body = {"displayName": "Analysts", "members": [{"value": "10"}, {"value": "258"}]}
    group = (await http.post(GROUPS, json=body)).json()
    assert group["members"] == [
        {"value": "10", "display": "maya.keller@example.com"},
        {"value": "258", "display": "priya.nair@example.com"},
    ]
    number = int(group["id"])
    assert number in (await http.get("/v1/users/10")).json()["roles"]
    assert (await http.get(f"/v2/roles/{number}")).json()["members"] == [10, 258]

    url = f"{GROUPS}/{number}"
    replaced = (await http.put(url, json={"displayName": "Data", "members": []})).json()

    assert (replaced["displayName"], replaced["members"]) == ("Data", [])
    assert (await http.delete(url)).status_code == 204
    assert (await http.get(f"/v2/roles/{number}")).status_code == 404


async def test_a_deleted_group_is_nobodys_role(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/users/258")).json()["roles"] == [44]

    await http.delete(f"{GROUPS}/44")

    assert (await http.get("/v1/users/258")).json()["roles"] == []


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "members", "value": "10"}], ["10", "258"]),
        ([{"op": "add", "path": "members", "value": '[{"value": "10"}, {"value": "258"}]'}],
         ["10", "258"]),
        ([{"op": "replace", "path": "members", "value": '[{"value": "12"}]'}], ["12"]),
        ([{"op": "remove", "path": 'members[value eq "258"]'}], []),
        ([{"op": "remove", "path": 'members[value eq "10"]'}], ["258"]),
        ([{"op": "remove", "path": "members", "value": '[{"value": "258"}]'}], []),
        ([{"op": "remove", "path": "members"}], []),
        ([{"op": "replace", "value": '{"displayName": "Bosses", "members": []}'}], []),
        ([{"op": "add", "path": "members", "value": "10"},
          {"op": "remove", "path": 'members[value eq "258"]'}], ["10"]),
    ],
)  # fmt: skip
async def test_the_members_of_a_group_are_patched(
    http: httpx.AsyncClient, operations: list[dict[str, Any]], expected: list[str]
) -> None:
    patched = await patch(http, f"{GROUPS}/44", *operations)

    assert patched.status_code == 200, patched.text
    assert await members(http, f"{GROUPS}/44") == expected


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "add", "path": "members", "value": "nobody"}, "invalidValue"),
        ({"op": "add", "path": "owner", "value": "10"}, "invalidPath"),
        ({"op": "remove", "path": "displayName"}, "invalidValue"),
        ({"op": "remove", "path": "members[value eq]"}, "invalidFilter"),
        ({"op": "replace", "path": "displayName", "value": "Loyalty manager"}, None),
        ({"op": "add", "path": "members", "value": "999"}, None),
    ],
)
async def test_a_group_stays_when_its_patch_is_refused(
    http: httpx.AsyncClient, operation: dict[str, Any], kind: str | None
) -> None:
    before = (await http.get(f"{GROUPS}/44")).json()

    refused = await patch(http, f"{GROUPS}/44", operation)

    assert refused.status_code in (400, 409)
    assert refused.json().get("scimType") == kind
    assert (await http.get(f"{GROUPS}/44")).json() == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "ADA@example.com"', "a"),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ada@example.com"', "a"),
        ('USERNAME sw "bob"', "b"),
        ('userName ew "example.com"', "abc"),
        ('userName co "@" and active eq false', "c"),
        ('active eq true and (userName co "ada" or userName co "cy")', "a"),
        ('userName co "ada" or userName co "bob" and active eq false', "a"),
        ('not (userName co "ada")', "bc"),
        ("name.formatted pr", "a"),
        ('displayName ne "Bob"', "ac"),
        ('displayName eq "Bob" or name.formatted eq "Ada L."', "ab"),
        ('meta.created ge "2026-06-15T12:00:00Z"', "abc"),
        ('meta.created lt "2026-06-15T12:00:00Z"', ""),
        ('userName gt "b"', "bc"),
        ("userName gt 5", ""),
        ('nickName co ""', ""),
        ('displayName eq "a \\"quoted\\" name"', ""),
    ],
)
async def test_users_are_filtered(http: httpx.AsyncClient, text: str, expected: str) -> None:
    for number in (33, 258):
        await http.delete(f"{USERS}/{number}")
    await create(http, "ada@example.com", name={"formatted": "Ada L."})
    await create(http, "bob@example.com", displayName="Bob")
    await create(http, "cy@example.com", active=False)

    found = await listed(http, USERS, filter=text)

    assert "".join(each["userName"][0] for each in found["Resources"]) == expected
    assert found["totalResults"] == len(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('displayName eq "managers"', 1),
        ('members.value eq "258"', 1),
        ('members[value eq "258" and display sw "priya"]', 1),
        ('members[value eq "10"]', 0),
    ],
)
async def test_groups_are_filtered(http: httpx.AsyncClient, text: str, expected: int) -> None:
    assert (await listed(http, GROUPS, filter=text))["totalResults"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "userName", "userName eq", "userName is 5", 'userName eq "a', "userName eq a", "(active pr",
        "active pr)", "active pr and", "", "(" * 60 + "active pr" + ")" * 60, "not active pr",
    ],
)  # fmt: skip
async def test_what_is_no_filter_is_refused(http: httpx.AsyncClient, text: str) -> None:
    refused = await http.get(USERS, params={"filter": text})

    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")
    assert refused.json()["errors"][0]["source"] == {"parameter": "filter"}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["33", "258"]),
        ({"count": 1}, ["33"]),
        ({"startIndex": 2}, ["258"]),
        ({"startIndex": 0, "count": 1}, ["33"]),
        ({"count": -1}, []),
        ({"startIndex": 3}, []),
    ],
)
async def test_a_list_is_paged(http: httpx.AsyncClient, query: Any, ids: list[str]) -> None:
    found = await listed(http, USERS, **query)

    assert [each["id"] for each in found["Resources"]] == ids
    assert (found["totalResults"], found["itemsPerPage"]) == (2, len(ids))


async def test_an_identity_provider_learns_what_is_supported(http: httpx.AsyncClient) -> None:
    config = (await http.get(f"{SCIM}/ServiceProviderConfig")).json()
    kinds = (await listed(http, f"{SCIM}/ResourceTypes"))["Resources"]
    schemas = (await listed(http, f"{SCIM}/Schemas"))["Resources"]

    assert (config["patch"], config["bulk"]["supported"]) == ({"supported": True}, False)
    assert [kind["schema"] for kind in kinds] == [schema["id"] for schema in schemas]
    named = {each["name"]: {a["name"] for a in each["attributes"]} for each in schemas}
    user = (await http.get(f"{USERS}/33")).json()
    assert named["User"] >= user.keys() - {"schemas", "id", "meta"}


async def test_oktas_challenge_is_answered(http: httpx.AsyncClient) -> None:
    headers = {"X-Okta-Verification-Challenge": "prove it"}

    answer = await http.get("/v1/provisioning/okta", headers=headers)

    assert answer.json() == {"verification": "prove it"}
