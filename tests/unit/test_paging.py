"""`fetchAll`: all pages of a list as one answer, however long, and even while it changes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import Settings, load_settings
from talonone_mcp.server.app import build_server
from tests.lists import LongList, numbered
from tests.upstream import Upstream, serve

pytestmark = pytest.mark.anyio


@contextmanager
def serving(app: Any, **more: str) -> Iterator[tuple[Upstream, Settings]]:
    with serve(app) as upstream:
        environment = {"TALONONE_BASE_URL": upstream.url, "TALONONE_MANAGEMENT_KEY": "key"}
        environment["TALONONE_STATE_DIR"] = upstream.state_dir
        yield upstream, load_settings({}, environment | more)


async def called(
    catalog: Catalog, app: Any, tool: str = "list_webhooks", **arguments: Any
) -> dict[str, Any]:
    with serving(app) as (_, settings):
        async with Client(build_server(settings, catalog)) as client:
            result = await client.call_tool(tool, arguments)
    content: dict[str, Any] = result.structured_content
    page = content.get("page", {})
    page.pop("whole", None)  # tests/unit/test_views.py
    if "next" in page:  # the whole next call, of which only one argument is new
        skip = page["next"]["skip"]
        assert page["next"] == arguments | {"skip": skip}
        page["next"] = {"skip": skip}
    return content


def ids(answer: dict[str, Any]) -> list[int]:
    if "csv" in answer:  # as a list that is long and flat is written
        return [int(row["id"]) for row in csv.DictReader(io.StringIO(answer["csv"]))]
    return [item["id"] for item in answer["data"]]


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(
    ("length", "asked"),
    [
        (0, [(0, 1000)]),
        (999, [(0, 1000)]),
        (1000, [(0, 1000)]),
        (1001, [(0, 1000), (999, 1000)]),
        (2500, [(0, 1000), (999, 1000), (1998, 1000)]),
    ],
)
async def test_pages_are_as_large_as_upstream_allows_and_overlap_by_one(
    catalog: Catalog, counted: bool, length: int, asked: list[tuple[int, int]]
) -> None:
    upstream = LongList(numbered(length), counted)

    answer = await called(catalog, upstream, fetchAll=10_000)

    assert upstream.asked == asked
    shown = answer["page"]["shown"]
    assert ids(answer) == list(range(1, shown + 1))
    assert answer["page"]["fetched"] == length
    assert "changed" not in answer["page"]
    assert answer["page"].get("next") == ({"skip": shown} if shown < length else None)
    assert answer["page"].get("total") == (length if counted else None)


@pytest.mark.parametrize("counted", [True, False])
async def test_it_stops_at_the_number_asked_for_and_says_where_it_goes_on(
    catalog: Catalog, counted: bool
) -> None:
    upstream = LongList(numbered(130), counted)

    answer = await called(catalog, upstream, fetchAll=120, skip=5)

    assert upstream.asked == [(5, 120)]
    assert ids(answer) == list(range(6, 126))
    assert answer["page"]["fetched"] == answer["page"]["shown"] == 120
    assert answer["page"]["next"] == {"skip": 125}


async def test_an_endpoint_with_small_pages_is_read_in_those(catalog: Catalog) -> None:
    upstream = LongList(numbered(120), counted=False)

    answer = await called(
        catalog, upstream, "list_achievements", applicationId=1, campaignId=1, fetchAll=110
    )

    assert upstream.asked == [(0, 50), (49, 50), (98, 12)]
    assert ids(answer) == list(range(1, 111))
    assert answer["page"] == {"shown": 110, "fetched": 110, "next": {"skip": 110}}


async def test_a_search_sends_its_body_with_every_page(catalog: Catalog) -> None:
    upstream = LongList(numbered(1500))

    await called(catalog, upstream, "search_customer_profiles", integrationIDs=["a"], fetchAll=1500)

    assert upstream.bodies == [{"integrationIDs": ["a"]}] * 2


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items.insert(0, {"id": 9999}),
        lambda items: items.pop(0),
        lambda items: items.clear(),
        lambda items: items.reverse(),
    ],
)
@pytest.mark.parametrize("counted", [True, False])
async def test_a_list_that_changes_is_read_on_and_said_to_have_changed(
    catalog: Catalog, counted: bool, change: Any
) -> None:
    upstream = LongList(numbered(100), counted, [change])

    answer = await called(
        catalog, upstream, "list_achievements", applicationId=1, campaignId=1, fetchAll=1000
    )

    assert answer["page"]["changed"] is True
    assert "items may be missing" in answer["page"]["note"]
    assert "next" not in answer["page"]
    assert len(set(ids(answer))) == len(ids(answer))
    assert set(ids(answer)) >= set(range(1, 51))


async def test_a_list_that_only_grew_at_its_end_changed_its_length(catalog: Catalog) -> None:
    upstream = LongList(numbered(100), changes=[lambda items: items.append({"id": 101})])

    answer = await called(
        catalog, upstream, "list_achievements", applicationId=1, campaignId=1, fetchAll=1000
    )

    assert ids(answer) == list(range(1, 102))
    assert answer["page"]["changed"] is True


async def test_items_without_an_id_may_be_alike(catalog: Catalog) -> None:
    upstream = LongList([{"status": "done"}] * 120, counted=False)

    answer = await called(
        catalog, upstream, "list_achievements", applicationId=1, campaignId=1, fetchAll=1000
    )

    assert answer["page"] == {"shown": 120, "fetched": 120}


async def test_items_without_an_id_are_not_repeated_when_the_list_moves(catalog: Catalog) -> None:
    items = [{"name": f"sku-{number}"} for number in range(80)]
    upstream = LongList(items, False, [lambda items: items.insert(0, {"name": "new"})])

    answer = await called(
        catalog, upstream, "list_achievements", applicationId=1, campaignId=1, fetchAll=1000
    )

    assert answer["csv"].split() == ["name", *(f"sku-{number}" for number in range(80))]
    assert answer["page"]["changed"] is True


async def test_a_list_that_grows_as_fast_as_it_is_read_ends(catalog: Catalog) -> None:
    grow = [lambda items: items.__setitem__(slice(0, 0), numbered(60, -len(items)))] * 100
    upstream = LongList(numbered(100), False, list(grow))

    answer = await called(
        catalog, upstream, "list_achievements", applicationId=1, campaignId=1, fetchAll=500
    )

    assert len(upstream.asked) < 20
    assert answer["page"]["changed"] is True


async def test_an_upstream_that_always_says_there_is_more_is_not_asked_for_ever(
    catalog: Catalog,
) -> None:
    pages = 0

    class Endless(LongList):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            nonlocal pages
            pages += 1
            body = json.dumps({"data": [{"id": 1}], "hasMore": True}).encode()
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    answer = await called(catalog, Endless([]), fetchAll=10_000)

    assert pages == 2
    assert answer["data"] == [{"id": 1}]


async def test_many_items_are_cut_to_the_budget_and_all_counted(catalog: Catalog) -> None:
    items = [{"id": number, "title": "x" * 200} for number in range(3000)]

    answer = await called(catalog, LongList(items), fetchAll=3000)

    page = answer["page"]
    assert page == {
        "shown": page["shown"],
        "fetched": 3000,
        "total": 3000,
        "next": {"skip": page["shown"]},
    }
    assert 0 < page["shown"] < 100


@pytest.mark.parametrize(
    ("arguments", "at"),
    [
        ({"fetchAll": 10, "pageSize": 5}, "pageSize"),
        ({"fetchAll": 0}, "fetchAll"),
        ({"fetchAll": -1}, "fetchAll"),
        ({"fetchAll": 10_001}, "fetchAll"),
        ({"fetchAll": True}, "fetchAll"),
        ({"fetchAll": "all"}, "fetchAll"),
        ({"fetchall": 10}, "fetchall"),
    ],
)
async def test_what_contradicts_itself_is_not_sent(
    catalog: Catalog, arguments: dict[str, Any], at: str
) -> None:
    upstream = LongList(numbered(5))

    answer = await called(catalog, upstream, **arguments)

    assert upstream.asked == []
    assert [each["at"] for each in answer["error"]["details"]] == [at]


@pytest.mark.parametrize("tool", ["get_customer_analytics", "get_webhook", "create_coupons"])
async def test_it_is_for_lists_alone(catalog: Catalog, tool: str) -> None:
    upstream = LongList([])

    answer = await called(catalog, upstream, tool, fetchAll=10)

    assert "fetchAll" in [each["at"] for each in answer["error"]["details"]]
    assert upstream.asked == []


def test_every_list_takes_it_and_none_shows_it(catalog: Catalog) -> None:
    lists = {each.name for each in catalog if {"pageSize", "skip"} <= set(each.query)}

    assert {each.name for each in catalog if "fetchAll" in each.reserved} == lists - {
        "get_customer_activity_report",
        "get_customer_analytics",
    }
    assert all("fetchAll" not in each.input_schema["properties"] for each in catalog)
    assert all(catalog.operations[name].risk == "read" for name in lists)


async def test_a_page_that_fails_is_the_error_of_the_call(catalog: Catalog) -> None:
    def break_down(_: list[Any]) -> None:
        upstream.items = "no list"  # type: ignore[assignment]

    upstream = LongList(numbered(1500), changes=[break_down])

    answer = await called(catalog, upstream, fetchAll=1500)

    assert answer["error"]["kind"] == "upstream"
    assert "not a page of a list" in answer["error"]["message"]


async def test_the_audit_log_has_one_line_for_all_pages(catalog: Catalog) -> None:
    with serving(LongList(numbered(3000)), TALONONE_AUDIT_READS="true") as (upstream, settings):
        async with Client(build_server(settings, catalog)) as client:
            await client.call_tool("list_webhooks", {"fetchAll": 3000})

        lines = (Path(upstream.state_dir) / "audit.jsonl").read_text().splitlines()

    [line] = [json.loads(line) for line in lines]
    assert line["arguments"] == {"fetchAll": 3000}
    assert (line["outcome"], line["status"]) == ("done", 200)
    assert len(upstream.requests) == 4


async def test_a_cancelled_call_asks_for_no_further_page(catalog: Catalog) -> None:
    upstream = LongList(numbered(10_000))
    with serving(upstream) as (_, settings):
        async with Client(build_server(settings, catalog)) as client:
            with anyio.CancelScope() as scope:

                async def stop(progress: float, total: float | None, message: str | None) -> None:
                    if progress >= 1999:
                        scope.cancel()

                await client.call_tool(
                    "list_webhooks", {"fetchAll": 10_000}, progress_callback=stop
                )

            assert scope.cancelled_caught
            await anyio.wait_all_tasks_blocked()
            after = list(upstream.asked)
            again = await client.call_tool("list_webhooks", {"fetchAll": 1})

    assert len(after) <= 3
    assert not again.is_error
    assert upstream.asked == [*after, (0, 1)]
