"""Cut answers: the full text of answers that were too long to show, readable as resources.

Unlike exports they are small, and nobody needs them after the conversation.
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
    """The full JSON text of one answer. `created` is in seconds of the store's clock."""

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
    """The answers that were cut lately, each readable by the principal whose call it was."""

    def keep(self, content: Mapping[str, Any], operation: str, principal: str) -> CutAnswer:
        """Keep an answer, and drop those that are too old or too many."""

    def find(self, name: str, principal: str) -> CutAnswer | None:
        """Return one answer; None if it is not there (any more) or belongs to somebody else."""

    def kept(self, principal: str) -> list[CutAnswer]:
        """Return the answers of a principal, the newest first."""


class MemoryCutAnswers:
    """The `CutAnswers` of one process."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Begin with none."""
        self._clock = clock
        self._kept: OrderedDict[str, CutAnswer] = OrderedDict()

    def keep(self, content: Mapping[str, Any], operation: str, principal: str) -> CutAnswer:
        """See `CutAnswers.keep`."""
        text = json.dumps(content, ensure_ascii=False, indent=1)
        name = f"a{secrets.token_hex(8)}"
        kept = CutAnswer(name, principal, operation, text, self._clock.monotonic())
        self._kept[name] = kept
        self._drop()
        return kept

    def find(self, name: str, principal: str) -> CutAnswer | None:
        """See `CutAnswers.find`."""
        self._drop()
        kept = self._kept.get(name) if _ID.fullmatch(name) else None
        return kept if kept and kept.principal == principal else None

    def kept(self, principal: str) -> list[CutAnswer]:
        """See `CutAnswers.kept`."""
        self._drop()
        return [each for each in reversed(self._kept.values()) if each.principal == principal]

    def _drop(self) -> None:
        size = sum(len(each.text) for each in self._kept.values())
        for name, each in list(self._kept.items()):
            old = self._clock.monotonic() - each.created > _LIFETIME_S
            if not (old or len(self._kept) > _MAX_ANSWERS or size > _MAX_CHARS):
                break
            del self._kept[name]
            size -= len(each.text)
