"""What people's words mean in the catalog, as data: `tools/_words.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Action:
    """A kind of action: the verbs in operation names, and the words people use for it."""

    verbs: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What people's words mean.

    Attributes:
        things: the synonyms of each thing's name.
        also: for each word, phrases that suggest it without naming it.
        actions: the actions by name.
    """

    things: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)

    @classmethod
    def from_compiled(cls, record: Mapping[str, Any]) -> Words:
        """Rebuild the words from their JSON form."""
        return cls(
            {name: tuple(others) for name, others in record.get("things", {}).items()},
            {name: tuple(phrases) for name, phrases in record.get("also", {}).items()},
            {
                name: Action(**{key: tuple(words) for key, words in each.items()})
                for name, each in record.get("actions", {}).items()
            },
        )
