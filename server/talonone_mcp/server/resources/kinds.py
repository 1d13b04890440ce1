"""What all kinds of resources have in common."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mcp.shared.uri_template import UriTemplate

from talonone_mcp.core.text import one_line
from talonone_mcp.server.resources.resource_reader import ResourceReader

CSV, JSON = "text/csv", "application/json"
_ID = re.compile("[1-9][0-9]{0,17}")

Variables = Mapping[str, Any]
"""What stands in a URI in the places of its template's variables."""


class NoResourceError(Exception):
    """There is no such resource, any more; the message says what to do."""


class UnreadableError(Exception):
    """The resource cannot be read like this; the message says why, and how it can."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Resources of one kind: how a client finds them, and how one is read as text.

    `fresh` is for how many milliseconds a client may keep what it read; `scope` whether that is
    the same for everybody.
    """

    template: UriTemplate
    name: str
    title: str
    description: str
    mime_type: str
    read: Callable[[ResourceReader, Variables], Awaitable[str]]
    fresh: int = 0
    scope: Literal["public", "private"] = "private"

    @property
    def single(self) -> str | None:
        """The one URI of the kind, if no part of it varies."""
        return None if self.template.variable_names else str(self.template)


def number_in(variables: Variables, name: str) -> int:
    """Return the id of a URI. Each has one form, so that whoever watches a resource hears of it.

    Raises:
        NoResourceError: it is no id.
    """
    given = str(variables[name])
    if not _ID.fullmatch(given):
        raise NoResourceError(
            f"There is no such resource: {name} must be a whole number from 1 on, not"
            f" {one_line(given, 40)!r}."
        )
    return int(given)
