"""The demo fails where the server does not do what the demo says, and is told for its reader."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, types

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import load_settings
from talonone_mcp.server.app import build_server
from talonone_mcp.store.audit.log_files import LOG
from talonone_mcp.terminal.demo import failure_of
from talonone_mcp.terminal.demo_stage import Human, Stage
from talonone_mcp.terminal.printing import console

pytestmark = pytest.mark.anyio


class Seen(io.StringIO):
    """A terminal, or a file, that a person looks at afterwards."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def human_at(seen: Seen) -> Human:
    return Human(Stage(console(seen)))


async def play(
    catalog: Catalog, state: Path, human: Human | None = None, **flags: Any
) -> str | None:
    """Play and return what failed."""
    human = human or human_at(Seen())
    environment = {"TALONONE_STATE_DIR": str(state)}
    server = build_server(load_settings({"sandbox": True, **flags}, environment), catalog)
    async with Client(server, elicitation_callback=human.answer) as client:
        return await failure_of(client, human, state)


async def test_it_holds_against_the_real_one(catalog: Catalog, tmp_path: Path) -> None:
    human = human_at(Seen())

    assert await play(catalog, tmp_path, human) is None
    about = [re.findall(r"^Call: (\w+) ", each, re.MULTILINE) for each in human.questions]
    assert about == [["set_up_campaign"], ["delete_campaign"], ["delete_campaign"]]


@pytest.mark.parametrize(
    ("confirm", "said"),
    [("off", "nobody was asked about the plan"), ("block", "set_up_campaign: ")],
)
async def test_a_server_that_asks_nobody_is_noticed(
    catalog: Catalog, tmp_path: Path, confirm: str, said: str
) -> None:
    failure = await play(catalog, tmp_path, confirm=confirm)

    assert failure is not None
    assert failure.startswith(said)


async def test_a_no_that_is_not_heard_is_noticed(catalog: Catalog, tmp_path: Path) -> None:
    class Mistaken(Human):
        async def answer(self, context: Any, params: Any) -> types.ElicitResult:
            await super().answer(context, params)
            return types.ElicitResult(action="accept", content={"approve": True})

    failure = await play(catalog, tmp_path, Mistaken(Stage(console(Seen()))))

    assert failure is not None
    assert "was not declined" in failure


async def test_a_log_that_is_not_of_this_story_is_noticed(catalog: Catalog, tmp_path: Path) -> None:
    assert await play(catalog, tmp_path) is None

    failure = await play(catalog, tmp_path)

    assert failure is not None
    assert "another story" in failure


async def test_a_log_that_was_changed_is_noticed(catalog: Catalog, tmp_path: Path) -> None:
    class Tampering(Human):
        """Has the beginning of the log changed while the last question waits for its answer."""

        async def answer(self, context: Any, params: Any) -> types.ElicitResult:
            if len(self.questions) == 2:
                log = tmp_path / LOG
                log.write_bytes(log.read_bytes().replace(b"anna.schmidt", b"anna.schmitt", 1))
            return await super().answer(context, params)

    failure = await play(catalog, tmp_path, Tampering(Stage(console(Seen()))))

    assert failure is not None
    assert f"{LOG}:1: the line was changed" in failure


async def test_who_speaks_stands_in_a_column(catalog: Catalog, tmp_path: Path) -> None:
    seen = Seen()

    await play(catalog, tmp_path, human_at(seen))

    lines = seen.getvalue().splitlines()
    assert max(map(len, lines)) <= 92
    speakers = {line[:10].strip() for line in lines if line.startswith("  ")}
    assert speakers == {"host", "agent", "server", "person", ""}
    assert "\x1b" not in seen.getvalue()


@pytest.mark.parametrize("unwanted", ["", "1"])
async def test_colours_are_for_terminals_whose_user_wants_them(
    monkeypatch: pytest.MonkeyPatch, unwanted: str
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.setenv("NO_COLOR", unwanted)
    seen = Seen(terminal=True)

    Stage(console(seen)).says("person", "yes")

    assert ("\x1b[1;33m" in seen.getvalue()) is not bool(unwanted)


async def test_a_code_is_never_broken_at_its_hyphens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    seen = Seen(terminal=True)

    Stage(console(seen)).title("The code is SUMMER-ABCD-EFGH")

    assert "SUMMER-ABCD-EFGH" in seen.getvalue()
