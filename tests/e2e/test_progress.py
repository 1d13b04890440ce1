"""Progress reaches a client over every transport, in both eras."""

from __future__ import annotations

import anyio
import pytest

from tests.e2e.test_serving import connected, every_transport, every_way
from tests.lists import LongList, numbered
from tests.upstream import serve

pytestmark = pytest.mark.anyio


@every_transport
@every_way
async def test_pages_are_reported(transport: str, mode: str) -> None:
    heard = anyio.Event()

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        if (progress, total, message) == (60, 60, "60 items of list_achievements"):
            heard.set()

    arguments = {"applicationId": 1, "campaignId": 1, "fetchAll": 100}
    with serve(LongList(numbered(60))) as upstream:
        async with connected(transport, upstream, mode) as client:
            result = await client.call_tool(
                "list_achievements", arguments, progress_callback=listen
            )
            await heard.wait()  # it may arrive after the answer

    assert result.structured_content["page"]["fetched"] == 60
