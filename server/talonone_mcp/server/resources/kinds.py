"""Defines a kind of resource: its URI template, its texts and how to read one."""

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
"""The values in a URI, by the variable of its template."""


class NoResourceError(Exception):
    """The resource does not exist, or no longer; the message says what to do."""


class UnreadableError(Exception):
    """The resource cannot be read in this way; the message says why, and in which way it can."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Resources of one kind: how a client finds them, and how one is read as text.

    Attributes:
        fresh: milliseconds for which a client may cache what it read.
        scope: "public" if everybody reads the same.
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
        """The kind's only URI, if the template has no variables."""
        return None if self.template.variable_names else str(self.template)


def number_in(variables: Variables, name: str) -> int:
    """Return an id in a URI. Only one spelling is accepted, so that watchers match by URI.

    Raises:
        NoResourceError: the value is not an id.
    """
    given = str(variables[name])
    if not _ID.fullmatch(given):
        raise NoResourceError(
            f"There is no such resource: {name} must be a whole number, 1 or more, not"
            f" {one_line(given, 40)!r}."
        )
    return int(given)
