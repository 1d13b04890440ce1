"""Cut answers: the full text of answers that were too long to show, readable as resources.

Unlike exports, they are small and not needed after the conversation.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock

ANSWERS_URI = "talonone://answers/"
_ID = re.compile(r"a[0-9a-f]{16}")
_LIFETIME_S = 3600.0
_MAX_ANSWERS = 100
_MAX_CHARS = 50_000_000  # of all answers together


@dataclass(frozen=True, slots=True)
class CutAnswer:
    """The full JSON text of one answer. `created` is in seconds of the clock's `monotonic`."""

    id: str
    principal: str
    operation: str
    text: str
    created: float

    @property
    def uri(self) -> str:
        """The resource that holds it."""
        return ANSWERS_URI + self.id


class CutAnswers(Protocol):
    """Recently cut answers, each readable only by the principal who made the call."""

    def keep(self, content: Mapping[str, Any], operation: str, principal: str) -> CutAnswer:
        """Keep an answer; drop the oldest ones beyond the limits of age, number and size."""

    def find(self, name: str, principal: str) -> CutAnswer | None:
        """Return one answer; None if it does not exist, is gone or belongs to another principal."""

    def kept(self, principal: str) -> list[CutAnswer]:
        """Return the answers of a principal, newest first."""


class MemoryCutAnswers:
    """Cut answers in the memory of one process."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Start empty."""
        self._clock = clock
        self._answers: OrderedDict[str, CutAnswer] = OrderedDict()

    def keep(self, content: Mapping[str, Any], operation: str, principal: str) -> CutAnswer:
        """See `CutAnswers.keep`."""
        text = json.dumps(content, ensure_ascii=False, indent=1)
        name = f"a{secrets.token_hex(8)}"
        answer = CutAnswer(name, principal, operation, text, self._clock.monotonic())
        self._answers[name] = answer
        self._drop_excess()
        return answer

    def find(self, name: str, principal: str) -> CutAnswer | None:
        """See `CutAnswers.find`."""
        self._drop_excess()
        answer = self._answers.get(name) if _ID.fullmatch(name) else None
        return answer if answer and answer.principal == principal else None

    def kept(self, principal: str) -> list[CutAnswer]:
        """See `CutAnswers.kept`."""
        self._drop_excess()
        return [each for each in reversed(self._answers.values()) if each.principal == principal]

    def _drop_excess(self) -> None:
        size = sum(len(each.text) for each in self._answers.values())
        for name, each in list(self._answers.items()):
            old = self._clock.monotonic() - each.created > _LIFETIME_S
            if not (old or len(self._answers) > _MAX_ANSWERS or size > _MAX_CHARS):
                break
            del self._answers[name]
            size -= len(each.text)
