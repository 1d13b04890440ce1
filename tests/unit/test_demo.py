"""The demo fails where the server does not do what the demo says."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client, types

from talonone_mcp.app import build_server
from talonone_mcp.catalog import Catalog
from talonone_mcp.demo import Human, StepFailedError, play
from talonone_mcp.settings import load_settings

pytestmark = pytest.mark.anyio


async def play_against(catalog: Catalog, human: Human, **flags: Any) -> str | None:
    """Play and return what failed."""
    server = build_server(load_settings({"sandbox": True, **flags}, {}), catalog)
    async with Client(server, elicitation_callback=human.answer) as client:
        try:
            await play(client, human)
        except StepFailedError as failed:
            return str(failed)
    return None


async def test_it_holds_against_the_real_one(catalog: Catalog) -> None:
    human = Human()

    assert await play_against(catalog, human) is None
    assert len(human.questions) == 2


@pytest.mark.parametrize("confirm", ["off", "block"])
async def test_a_server_that_asks_nobody_is_noticed(catalog: Catalog, confirm: str) -> None:
    assert await play_against(catalog, Human(), confirm=confirm) == "nobody was asked"


async def test_a_no_that_is_not_heard_is_noticed(catalog: Catalog) -> None:
    class Mistaken(Human):
        async def answer(self, context: Any, params: Any) -> types.ElicitResult:
            await super().answer(context, params)
            return types.ElicitResult(action="accept", content={"approve": True})

    failure = await play_against(catalog, Mistaken())

    assert failure is not None
    assert "was not declined" in failure
