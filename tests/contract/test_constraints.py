"""Every constraint of the catalog is checked before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client

from talonone_mcp.core.catalog import Catalog, Operation
from talonone_mcp.core.catalog.json_schema import satisfies
from talonone_mcp.core.catalog.validation import problems
from talonone_mcp.server.app import build_server
from tests.conftest import settings_for
from tests.contract.facts import Fact, example_arguments, load_facts
from tests.upstream import Upstream

FACTS = {fact["tool"]: fact for fact in load_facts()}
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00+01:00"
UNIT = {"validityDuration": "5d", "pendingDuration": "24"}
BOTH = [
    {"validUntil": LATE, "validityDuration": "5D"},
    {"pendingUntil": EARLY, "pendingDuration": "5D"},
]
FILTER = {"attr": "price", "op": "LT", "value": "cheap"}
MANY = {"type": "REMOVE_MANY", "payload": {"filters": [FILTER]}}
# Per operation with `must` constraints: changes to the documented example that break them, at
# least one for each. None removes the argument.
BROKEN: dict[str, list[dict[str, Any]]] = {
    "activate_loyalty_points": [{"sessionId": "s"}, {"transactionUUIDs": None}],
    "add_loyalty_card_points": [*BOTH, *({key: value} for key, value in UNIT.items())],
    "add_loyalty_points": [*BOTH, *({key: value} for key, value in UNIT.items())],
    "capillary_issue_coupon": [{"customer": {"mobile": "", "email": ""}}],
    "cep_add_loyalty_points": [{"points": 0}, *({key: value} for key, value in UNIT.items())],
    "create_achievement": [{"period": "1 year"}, {"period": "5D_U"}],
    "create_coupons": [
        {"numberOfCoupons": 0},
        {"numberOfCoupons": 20_001, "uniquePrefix": None},
        {"numberOfCoupons": 200_001},
        {"couponPattern": "A-##", "validCharacters": None},
        {"couponPattern": None, "validCharacters": ["A"]},
    ],
    "create_coupons_for_recipients": [{"couponPattern": "A-##", "validCharacters": None}],
    "create_loyalty_cards": [{"numberOfCards": 20_001}],
    "create_referrals_for_advocates": [{"referralPattern": "A-##", "validCharacters": None}],
    "delete_loyalty_transactions": [{"scope": "SelectedSubledgers", "subledgerIds": []}],
    "export_loyalty_balance": [{"balances": "currentBalance, spentBalance"}],
    "export_loyalty_balances": [{"balances": "points"}],
    "export_loyalty_card_balances": [{"balances": "negativeBalance"}],
    "get_best_prior_price": [
        {"timeframe": "30D"},
        {"target": {"targetType": "NONE", "audienceID": 1}},
    ],
    "list_application_sessions": [
        {"partialMatch": True, "profile": "a", "coupon": "b"},
        {"partialMatch": True, "profile": None, "coupon": None, "referral": None,
         "integrationId": None, "storeIntegrationId": None},
    ],
    "list_audience_analytics": [{"audienceIds": ",".join("7" * 1001)}],
    "list_loyalty_card_transactions": [{"awaitsActivation": False}],
    "list_loyalty_ledger_transactions": [{"awaitsActivation": False}],
    "list_loyalty_transactions": [{"awaitsActivation": False}],
    "list_message_logs": [
        {"notificationIDs": ",".join("7" * 31)},
        {"webhookIDs": ",".join("7" * 31)},
    ],
    "list_profile_loyalty_transactions": [{"awaitsActivation": False}],
    "patch_scim_group": [{"Operations": [{"op": "add", "path": "members"}]}],
    "patch_scim_user": [{"Operations": [{"op": "replace", "path": "active"}]}],
    "sync_catalog": [
        {"actions": [MANY, {"type": "REMOVE", "payload": {"sku": "A"}}]},
        {"actions": [MANY]},
    ],
    "track_advanced_event": [{"forceCompleteEvaluation": True, "dry": False}],
    "track_event": [{"forceCompleteEvaluation": True, "dry": None}, {"profileId": None}],
    "update_achievement": [{"period": "1 year"}, {"period": "5D_U"}],
    "update_campaign": [{"linkedStoreIds": list(range(51))}],
    "update_customer_profile": [{"dry": True, "runRuleEngine": False, "responseContent": None},
                                {"runRuleEngine": None, "dry": None}],
    "update_customer_profiles": [{"customerProfiles": [{"integrationId": "a"}] * 1001}],
    "update_customer_session": [
        {"customerSession": {"cartItems": [{"sku": "a", "quantity": 1}] * 1001}}
    ],
    "update_loyalty_card": [{"status": None}, {"status": "blocked"}],
    "update_profile_audiences": [{"data": [{"adds": [1], "profileIntegrationId": "a"}] * 1001}],
}  # fmt: skip


def changed(operation: Operation, fact: Fact, changes: dict[str, Any]) -> dict[str, Any]:
    arguments = example_arguments(fact, operation) | changes
    return {name: value for name, value in arguments.items() if value is not None}


@pytest.mark.parametrize("tool", sorted(BROKEN))
def test_a_broken_constraint_says_what_to_do(catalog: Catalog, tool: str) -> None:
    operation = catalog.operations[tool]
    stated = [each for each in operation.constraints if each.must is not None]
    seen: set[str] = set()
    for changes in BROKEN[tool]:
        arguments = changed(operation, FACTS[tool], changes)
        expected = {each.say for each in stated if not satisfies(each.must or {}, arguments)}
        found = {problem.problem for problem in problems(operation, arguments)}
        assert expected, changes
        assert found >= expected
        seen |= expected

    assert seen == {each.say for each in stated}, "no case breaks this constraint"


def test_every_constraint_has_a_case(catalog: Catalog) -> None:
    with_constraints = {
        operation.name
        for operation in catalog
        if any(each.must for each in operation.constraints) and "csv" not in _names(operation)
    }
    assert with_constraints == set(BROKEN)


def _names(operation: Operation) -> set[str]:
    return set(operation.input_schema["properties"])


ENDS = {"startDate": ("endDate", "expiryDate"), "rangeStart": ("rangeEnd",),
        "startTime": ("endTime",), "fixedStartDate": ("endDate",)}  # fmt: skip


@pytest.mark.parametrize("fact", [pytest.param(fact, id=name) for name, fact in FACTS.items()])
def test_a_start_after_its_end_is_refused(catalog: Catalog, fact: Fact) -> None:
    operation = catalog.operations[fact["tool"]]
    orders = {each.order for each in operation.constraints if each.order}

    names = _names(operation)
    pairs = {(name, name.replace("After", "Before")) for name in names if name.endswith("After")}
    pairs |= {(start, end) for start, ends in ENDS.items() for end in ends}
    assert {(start, end) for start, end in pairs if {start, end} <= names} <= orders
    for first, second in orders:
        arguments = example_arguments(fact, operation)
        _put(arguments, first, LATE)
        _put(arguments, second, EARLY)
        found = problems(operation, arguments)
        assert f"must not be later than {second}" in {p.problem for p in found if p.at == first}
        _put(arguments, second, "2026-01-31T23:00:00Z")  # the same moment in another zone
        assert not [p for p in problems(operation, arguments) if p.at == first]


def _put(arguments: dict[str, Any], path: str, value: str) -> None:
    *steps, last = path.split(".")
    for step in steps:
        arguments = arguments[step]
    arguments[last] = value


@pytest.mark.anyio
async def test_nothing_is_sent_when_a_constraint_is_broken(
    catalog: Catalog, upstream: Upstream
) -> None:
    server = build_server(settings_for(upstream, confirm="off"), catalog)
    async with Client(server) as client:
        result = await client.call_tool(
            "capillary_issue_coupon", {"seriesId": 1, "customer": {"email": ""}}
        )

    error = result.structured_content["error"]
    assert error["kind"] == "invalid_arguments"
    assert [detail["at"] for detail in error["details"]] == ["customer"]
    assert upstream.requests == []
