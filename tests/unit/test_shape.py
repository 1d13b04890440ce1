"""What a model is shown of an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from talonone_mcp.calls.shaping.model_answer import BUDGET, shape
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.upstream.http_messages import Answer


def shaped(catalog: Catalog, tool: str, body: Any, **arguments: Any) -> dict[str, Any]:
    """Return what is shown of an answer, of all of its fields unless the call asks for some."""
    arguments = {"fields": ["*"]} | arguments
    content = shape(catalog.operations[tool], arguments, Answer(200, body)).content
    page = content.get("page", {})
    if page.get("next", {}).get("fields") == ["*"]:
        del page["next"]["fields"]
    return content


def test_what_is_empty_is_left_out_at_every_depth(catalog: Catalog) -> None:
    body = {"id": 1, "name": "", "tags": [], "attributes": {}, "endTime": None,
            "limits": [{"limit": 0, "period": None}], "reevaluateOnReturn": False}  # fmt: skip

    assert shaped(catalog, "get_campaign", body) == {
        "id": 1,
        "name": "",
        "limits": [{"limit": 0}],
        "reevaluateOnReturn": False,
    }


def test_a_success_without_a_body(catalog: Catalog) -> None:
    shown = shape(catalog.operations["delete_campaign"], {}, Answer(204)).content
    assert shown == {"done": True, "status": 204}


def test_a_bare_list_is_a_list_too(catalog: Catalog) -> None:
    assert shaped(catalog, "get_campaign", [1, None, {"a": []}]) == {
        "data": [1, None, {}],
        "page": {"shown": 3},
    }


def test_a_whole_list_has_no_next_page(catalog: Catalog) -> None:
    body = {"totalResultSize": 2, "data": [{"id": 1}, {"id": 2}]}

    assert shaped(catalog, "list_campaigns", body) == {
        "data": [{"id": 1}, {"id": 2}],
        "page": {"shown": 2, "total": 2},
    }


def test_an_empty_list_stays_a_list(catalog: Catalog) -> None:
    assert shaped(catalog, "list_coupons", {"hasMore": False, "data": []}) == {
        "data": [],
        "page": {"shown": 0},
    }


@pytest.mark.parametrize("more", [{"totalResultSize": 90}, {"hasMore": True}])
def test_the_next_page_follows_the_one_shown(catalog: Catalog, more: dict[str, Any]) -> None:
    body = {**more, "data": [{"id": 1}, {"id": 2}]}

    page = shaped(catalog, "list_campaigns", body, skip=40, pageSize=2)["page"]

    assert page["next"] == {"skip": 42, "pageSize": 2}


def test_beyond_the_end_there_is_no_next_page(catalog: Catalog) -> None:
    page = shaped(catalog, "list_campaigns", {"totalResultSize": 3, "data": []}, skip=10)["page"]

    assert page == {
        "shown": 0,
        "total": 3,
        "note": "No items after the first 10: the list ends earlier.",
    }


def test_a_long_list_is_cut_between_items_and_says_where_it_goes_on(catalog: Catalog) -> None:
    items = [{"id": number, "name": "x" * 500} for number in range(100)]

    answer = shaped(catalog, "list_campaigns", {"totalResultSize": 100, "data": items})

    shown = answer["page"]["shown"]
    assert answer["data"] == items[:shown]
    assert answer["page"] == {"shown": shown, "total": 100, "next": {"skip": shown}}
    assert BUDGET * 0.9 < len(json.dumps(answer["data"])) < BUDGET * 1.1


def test_a_last_page_that_is_cut_goes_on(catalog: Catalog) -> None:
    items = [{"value": "x" * 5000} for _ in range(5)]

    page = shaped(catalog, "list_coupons", {"hasMore": False, "data": items}, skip=10)["page"]

    assert page == {"shown": 2, "next": {"skip": 12}}


def test_one_item_is_shown_however_long(catalog: Catalog) -> None:
    items = [{"name": "x" * 2 * BUDGET}, {"name": "y"}]

    answer = shaped(catalog, "list_campaigns", {"totalResultSize": 2, "data": items})

    assert answer["page"] == {"shown": 1, "total": 2, "next": {"skip": 1}}


def test_a_list_without_pages_says_what_is_left_out(catalog: Catalog) -> None:
    items = [{"summary": "x" * 5000} for _ in range(5)]

    page = shaped(catalog, "explain_coupon_rejections", {"data": items})["page"]

    assert page == {"shown": 2, "left_out": 3}


@pytest.mark.parametrize(
    "hidden",
    ["\x00", "\x1b", "\x9b", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad",
     "\U000e0041", "\U000e0101", "\ufe0f", "\u2028", "\ud800"],
)  # fmt: skip
def test_characters_that_nobody_sees_are_removed(catalog: Catalog, hidden: str) -> None:
    body = {"na" + hidden + "me": f"Sum{hidden}mer", "tags": [f"{hidden}a"]}

    assert shaped(catalog, "get_campaign", body) == {"name": "Summer", "tags": ["a"]}


@pytest.mark.parametrize("text", ["Größe 42\tL\n", "🎉 50 %", "日本語", "שלום", "naïve"])
def test_text_that_people_write_stays(catalog: Catalog, text: str) -> None:
    assert shaped(catalog, "get_campaign", {"name": text}) == {"name": text}
