"""Turns the nodes of a YAML document into lines of a policy, collecting every problem."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from talonone_mcp.core.impact import KINDS, Kind
from talonone_mcp.core.names import did_you_mean
from talonone_mcp.core.policy.layers import Layer
from talonone_mcp.core.policy.policy_lines import (
    MAX_WINDOW_S,
    MIN_WINDOW_S,
    OTHER,
    Asked,
    PolicyLine,
    beyond,
)
from talonone_mcp.core.text import quoted

if TYPE_CHECKING:
    from yaml import Node

_WINDOW = "window"
_WORDS = ("never", "always")
_OPTIONS: Mapping[str, str] = {  # as a file writes them, and as a line calls them
    "above": "above",
    "from": "at_least",
    "sum_above": "sum_above",
    "sum_of_all_above": "sum_of_all_above",
}
_SUMS = ("sum_above", "sum_of_all_above")
_NUMBER = re.compile(r"(0|[1-9][0-9_]{0,15})(\.[0-9]{1,6})?", re.ASCII)
_SPAN = re.compile(r"([1-9][0-9]{0,5}) *(minute|hour|day)s?", re.ASCII)
_SPAN_S = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}
_QUOTED_CHARS = 40
_TOP = "must be a mapping of kinds of impact"


class LayerReader:
    """Reads one document. `problems` has a line for each thing that is wrong with it."""

    def __init__(self, name: str, units: Collection[str] | None) -> None:
        """Take what messages call the file, and the units it may name; None for any."""
        self.problems: list[str] = []
        self._name = name
        self._units = units
        self._lines: list[PolicyLine] = []

    def layer(self, root: Node) -> Layer:
        """Return what the document says; it counts only if there are no problems."""
        whole: set[Kind] = set()
        window: tuple[float | None, str] = (None, "")
        for key, at, value in self._pairs(root, _TOP):
            kinds = [kind for kind in KINDS if kind == key]
            if key == _WINDOW:
                window = self._window(value), self._origin(at)
            elif not kinds:
                self._unknown(at, "kind of impact", key, (*KINDS, _WINDOW))
            elif _is_mapping(value) and value.value:
                self._of_units(kinds[0], value)
            elif self._word(value, "never, always, or limits by unit"):
                whole.add(kinds[0])
                self._add(kinds[0], OTHER, at, value)
        return Layer(tuple(self._lines), frozenset(whole), *window)

    def _of_units(self, kind: Kind, node: Node) -> None:
        for unit, at, value in self._pairs(node, ""):
            if unit in _OPTIONS:
                self._say(at, f"{unit} belongs to a unit, as in {kind}: {{codes: {{{unit}: 10}}}}")
            elif self._units is not None and unit not in (*self._units, OTHER):
                self._unknown(at, "unit", unit, (*self._units, OTHER))
            elif _is_mapping(value):
                self._limited(kind, unit, at, value)
            elif self._word(value, "never, always, or limits such as {above: 100}"):
                self._add(kind, unit, at, value)

    def _limited(self, kind: Kind, unit: str, at: Node, node: Node) -> None:
        limits: dict[str, float | None] = {}
        for option, place, value in self._pairs(node, ""):
            if option in _OPTIONS:
                limits[_OPTIONS[option]] = self._limit(option, value)
            else:
                self._unknown(place, "option", option, _OPTIONS)
        if not limits:
            self._say(at, f"{unit} needs a limit, such as {{above: 100}}")
        elif {"above", "at_least"} <= limits.keys():
            self._say(at, f"{unit} has both above and from; keep one")
        else:
            self._lines.append(beyond(kind, unit, limits, self._origin(at)))

    def _add(self, kind: Kind, unit: str, at: Node, value: Node) -> None:
        asked: Asked = "never" if value.value == "never" else "always"
        self._lines.append(PolicyLine(kind, unit, asked, origin=self._origin(at)))

    def _word(self, node: Node, expected: str) -> bool:
        text = _scalar(node)
        if text in _WORDS:
            return True
        hint = did_you_mean(text or "", _WORDS, otherwise="")
        self._say(node, f"must be {expected}{self._not(text)}{hint}")
        return False

    def _limit(self, option: str, node: Node) -> float | None:
        text = _scalar(node)
        if text == "never" and option in _SUMS:
            return None
        if text is not None and _NUMBER.fullmatch(text) and _is_plain(node):
            return float(text.replace("_", ""))
        expected = "a number of 0 or more" + (", or never" if option in _SUMS else "")
        self._say(node, f"{option} must be {expected}{self._not(text)}")
        return 0.0

    def _window(self, node: Node) -> float | None:
        match = _SPAN.fullmatch(_scalar(node) or "")
        seconds = int(match[1]) * _SPAN_S[match[2]] if match else 0.0
        if MIN_WINDOW_S <= seconds <= MAX_WINDOW_S:
            return seconds
        expected = "a span of time such as 24 hours, up to 31 days"
        self._say(node, f"{_WINDOW} must be {expected}{self._not(_scalar(node))}")
        return None

    def _pairs(self, node: Node, expected: str) -> Iterator[tuple[str, Node, Node]]:
        """Yield each key of a mapping, with its own node and its value's."""
        if not _is_mapping(node):
            self._say(node, expected)
            return
        seen: set[str] = set()
        for at, value in node.value:
            key = _scalar(at)
            if key is None:
                self._say(at, "a key must be a word")
            elif key in seen:
                self._say(at, f"{self._shown(key)} is there twice")
            else:
                seen.add(key)
                yield key, at, value

    def _unknown(self, at: Node, what: str, name: str, known: Collection[str]) -> None:
        self._say(at, f"there is no {what} {self._shown(name)}{did_you_mean(name, known)}")

    def _not(self, text: str | None) -> str:
        return f", not {self._shown(text)}" if text else ""

    def _say(self, node: Node, problem: str) -> None:
        self.problems.append(f"{self._name}, line {node.start_mark.line + 1}: {problem}")

    def _origin(self, node: Node) -> str:
        return f"{self._name} line {node.start_mark.line + 1}"

    @staticmethod
    def _shown(text: str) -> str:
        return quoted(text, _QUOTED_CHARS)


def _is_mapping(node: Node) -> bool:
    return getattr(node, "id", "") == "mapping"


def _is_plain(node: Node) -> bool:
    """Tell whether a scalar has no quotation marks."""
    return getattr(node, "style", None) is None


def _scalar(node: Node) -> str | None:
    """Return the text of a scalar, as it was written; None for a list or a mapping."""
    return node.value if isinstance(node.value, str) else None
