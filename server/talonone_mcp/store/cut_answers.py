"""Answers that were cut: the whole of each is kept in memory for a while, to be read as a resource.

Unlike exports they are small, and nobody needs them after the conversation.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

URI = "talonone://answers/"
_ID = re.compile(r"a[0-9a-f]{16}")
_SECONDS = 3600.0  # that an answer is kept
_MOST, _MOST_CHARACTERS = 100, 50_000_000  # answers, and characters of all of them


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is kept.

    `people` says whether names in it are those of people; `created` is in seconds of the clock.
    """

    id: str
    principal: str
    operation: str
    people: bool
    text: str
    created: float

    @property
    def uri(self) -> str:
        """The resource that holds it."""
        return URI + self.id


class Answers:
    """The answers that were cut lately, the oldest first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._clock = clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def keep(
        self, content: Mapping[str, Any], operation: str, principal: str, *, people: bool = False
    ) -> Kept:
        """Keep an answer, and drop those that are too old or too many."""
        text = json.dumps(content, ensure_ascii=False, indent=1)
        name = f"a{secrets.token_hex(8)}"
        kept = Kept(name, principal, operation, people, text, self._clock())
        self._kept[name] = kept
        self._drop()
        return kept

    def find(self, name: str, principal: str) -> Kept | None:
        """Return an answer; None when there is none, any more, or it is somebody else's."""
        self._drop()
        kept = self._kept.get(name) if _ID.fullmatch(name) else None
        return kept if kept and kept.principal == principal else None

    def kept(self, principal: str) -> list[Kept]:
        """Return the answers of a principal, the newest first."""
        self._drop()
        return [each for each in reversed(self._kept.values()) if each.principal == principal]

    def _drop(self) -> None:
        size = sum(len(each.text) for each in self._kept.values())
        for name, each in list(self._kept.items()):
            old = self._clock() - each.created > _SECONDS
            if not (old or len(self._kept) > _MOST or size > _MOST_CHARACTERS):
                break
            del self._kept[name]
            size -= len(each.text)
