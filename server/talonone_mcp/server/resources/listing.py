"""Lists the resources that exist now, and the templates of the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import anyio
import anyio.to_thread
from mcp import types

from talonone_mcp.core.errors import CallError
from talonone_mcp.server.account_lists import APPLICATIONS, PROGRAMS, AccountEntry, Listing
from talonone_mcp.server.resources import account
from talonone_mcp.server.resources.kinds import Kind
from talonone_mcp.server.resources.reading import KINDS
from talonone_mcp.server.resources.resource_reader import ResourceReader
from talonone_mcp.server.resources.stored import listed_export

_MAX_LISTED_EXPORTS = 100  # older ones can still be read


class CursorError(Exception):
    """No list gave this cursor."""


def templates() -> list[types.ResourceTemplate]:
    """Return the template of each kind that can have several resources."""
    return [
        types.ResourceTemplate(
            uri_template=str(kind.template),
            name=kind.name,
            title=kind.title,
            description=kind.description,
            mime_type=kind.mime_type,
        )
        for kind in KINDS
        if kind.single is None
    ]


async def listed(reader: ResourceReader) -> list[types.Resource]:
    """Return the resources that exist now.

    They are the account's lists, its Applications and loyalty programs as far as upstream answers
    in time, and the newest exports.
    """
    items: dict[str, list[types.Resource]] = {}

    async def load(listing: Listing, template: str) -> None:
        items[template] = await _listed(reader, listing, template)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(load, APPLICATIONS, account.APPLICATION)
        tasks.start_soon(load, PROGRAMS, account.PROGRAM)
    exports = await anyio.to_thread.run_sync(reader.store.exports.kept, reader.principal)
    return [
        *(_as_listed(kind, kind.single) for kind in KINDS if kind.single is not None),
        *items[account.APPLICATION],
        *items[account.PROGRAM],
        *map(listed_export, exports[:_MAX_LISTED_EXPORTS]),
    ]


def part(
    resources: Sequence[types.Resource], cursor: str | None, size: int
) -> tuple[list[types.Resource], str | None]:
    """Return a page of `size` resources, and the next page's cursor if there is one.

    Raises:
        CursorError: no list gave this cursor, or that list was longer.
    """
    begin = 0
    if cursor is not None:
        known = cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(len(resources)))
        begin = int(cursor) if known else 0
        if not 0 < begin < len(resources):
            raise CursorError("This cursor is unknown or no longer valid. List from the beginning.")
    end = begin + size
    return list(resources[begin:end]), str(end) if end < len(resources) else None


async def _listed(reader: ResourceReader, listing: Listing, template: str) -> list[types.Resource]:
    """Return the resources of one list; [] and a log line if upstream does not answer."""
    [kind] = (kind for kind in KINDS if str(kind.template) == template)
    [variable] = kind.template.variable_names
    problem = "no answer in time"
    with anyio.move_on_after(reader.limits.list_timeout_s):
        try:
            entries = await reader.entries(listing)
            return [
                _as_listed(kind, kind.template.expand({variable: entry.id}), entry)
                for entry in entries.items
            ]
        except CallError as error:
            problem = error.message
    logging.getLogger(__name__).warning("resources of %s are not listed: %s", template, problem)
    return []


def _as_listed(kind: Kind, uri: str, entry: AccountEntry | None = None) -> types.Resource:
    """Return a resource's list item, from its entry or, if it is the only one, its kind."""
    entry = entry or AccountEntry("", kind.title, kind.description)
    return types.Resource(
        uri=uri,
        name=f"{kind.name} {entry.id}".strip(),
        title=entry.name,
        description=entry.about or None,
        mime_type=kind.mime_type,
    )
