"""Prints what the demo's host, agent, server and person say, and answers as the person."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

from mcp import types
from mcp.client import ClientRequestContext
from rich.console import Console
from rich.text import Text

from talonone_mcp.terminal.question_lines import question_lines

LINE_CHARS = 92
_SPEAKER_CHARS = 10  # of a line, that say who speaks
_COLOURS = {"host": "magenta", "agent": "cyan", "server": "green", "person": "bold yellow"}


@dataclass(frozen=True, slots=True)
class Stage:
    """Prints the story, with the speaker at the left."""

    to: Console

    def title(self, text: str) -> None:
        """Print the title of a step."""
        self.to.print()
        self._lines(text, style="bold")

    def says(self, who: str, text: str, style: str = "") -> None:
        """Print what somebody says, beginning on a new line."""
        speaker = f"  {who}".ljust(_SPEAKER_CHARS)
        self._lines(text, speaker, " " * _SPEAKER_CHARS, _COLOURS.get(who, ""), style)

    def asks(self, question: str) -> None:
        """Print a question that the host asks its user."""
        self.says("host", "asks its user:")
        bar = "| ".rjust(_SPEAKER_CHARS + 2)
        for line in question_lines(question, self._width(bar)):
            self.to.print(Text.assemble((bar, "dim"), (line, "yellow")), soft_wrap=True)

    def _lines(
        self, text: str, first: str = "", later: str = "", colour: str = "", style: str = ""
    ) -> None:
        for line in textwrap.wrap(text, self._width(first), break_on_hyphens=False):
            self.to.print(Text.assemble((first, colour), (line, style)), soft_wrap=True)
            first = later

    def _width(self, before: str) -> int:
        """Return how many characters fit beside what begins a line."""
        return max(min(LINE_CHARS, self.to.width) - len(before), 20)


@dataclass(slots=True)
class Human:
    """The person at the host, who gives each question the prepared answer."""

    stage: Stage
    approves: bool = True
    questions: list[str] = field(default_factory=list)

    async def answer(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        """Show the question and answer it."""
        self.questions.append(params.message)
        self.stage.asks(params.message)
        self.stage.says("person", "yes" if self.approves else "no")
        if self.approves:
            return types.ElicitResult(action="accept", content={"approve": True})
        return types.ElicitResult(action="decline")
