"""Change one table of a TOML text and leave every other byte alone.

`tomlkit` takes the table apart and spells the new one. It is given that table only: of a whole
file it would move comments, and tables that stand between those of an array. After each change the
standard library reads the text again, which must say what it said before, but for the entry. What
is not written as a table of its own is left to a person.
"""

from __future__ import annotations

import json
import re
import tomllib
from itertools import takewhile
from typing import Any, TypeGuard

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item, Table

from talonone_mcp.terminal.hosts.host_errors import ShapeError

_BY_HAND = "--print shows the entry, to be put there by hand"


def put(text: str, section: str, name: str, value: dict[str, Any]) -> str:
    """Return the text with the table `[section.name]`, new at its end or in place of the old one.

    Raises:
        ShapeError: the section or the old entry is written in another way than as tables.
        tomllib.TOMLDecodeError: the text cannot be read.
    """
    newline = _newline(text)
    before = tomllib.loads(text)
    servers = _servers(before, section)
    table = _rendered(section, name, value).replace("\n", newline)
    if name in servers:
        head, tail = _around(text, section, name)
        changed = head + table + tail
    else:
        ended = text if not text or text.endswith("\n") else text + newline
        changed = f"{ended}{newline if ended.strip() else ''}{table}"
    after = {**before, section: {**servers, name: value}}
    return _checked(changed, [after], f"its {section} is written in another way than as tables")


def take(text: str, section: str, name: str) -> str:
    """Return the text without the table `[section.name]` and those below it.

    Raises:
        ShapeError, tomllib.TOMLDecodeError: as `put`.
    """
    before = tomllib.loads(text)
    servers = dict(_servers(before, section))
    if name not in servers:
        return text
    del servers[name]
    rest = {key: value for key, value in before.items() if key != section}
    head, tail = _around(text, section, name)
    if not tail.strip():  # it was the last: no empty lines at the end
        head, tail = head.rstrip(), _newline(text) if head.strip() else ""
    meant = [{**rest, section: servers}, *([] if servers else [rest])]
    return _checked(head + tail, meant, f'its "{name}" is no table of its own')


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _servers(document: dict[str, Any], section: str) -> dict[str, Any]:
    servers = document.get(section, {})
    if not isinstance(servers, dict):
        raise ShapeError(f"its {section} is no table, but {json.dumps(servers, default=str)}")
    return servers


def _checked(text: str, meant: list[dict[str, Any]], otherwise: str) -> str:
    """Return the text if it says one of what is meant.

    Raises:
        ShapeError: it does not.
    """
    if _said(text) not in meant:
        raise ShapeError(f"{otherwise}; {_BY_HAND}")
    return text


def _said(text: str) -> dict[str, Any] | None:
    """Return what a text says; None if it cannot be read, or not yet."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


# --- Where a table stands ------------------------------------------------------------------------


def _around(text: str, section: str, name: str) -> tuple[str, str]:
    """Return what stands before a table, and after it without the tables below it.

    Raises:
        ShapeError: it is written in another way than as a table.
    """
    first, *tables = _tables(text)
    ours = [name in _servers(_said(_header(each)) or {}, section) for each in tables]
    if not any(ours):
        raise ShapeError(f'its "{name}" is no table of its own; {_BY_HAND}')
    at = ours.index(True)
    after = zip(tables[at:], ours[at:], strict=True)
    tail = (_ending(table) if is_ours else table for table, is_ours in after)
    return first + "".join(tables[:at]), "".join(tail)


def _tables(text: str) -> list[str]:
    """Split a text before each header: what stands before the first one, and each table.

    A line that begins with `[` is a header unless it is within an array, or a text of several
    lines: then what stands before it cannot be read alone.
    """
    found = [""]
    for line in re.findall(r"[^\n]*\n?", text):
        if line.lstrip(" \t").startswith("[") and _said(found[-1]) is not None:
            found.append("")
        found[-1] += line
    return found


def _header(table: str) -> str:
    line, newline, _ = table.partition("\n")
    return line + newline


def _ending(table: str) -> str:
    """Return the comments and empty lines at the end of a table: they are about what follows."""
    try:
        body = tomlkit.parse(table).body
    except TOMLKitError as error:
        raise ShapeError(f"tomlkit cannot read one of its tables: {error}; {_BY_HAND}") from None
    while below := [item for key, item in body if key and not key.is_dotted() and _is_table(item)]:
        [item] = below  # down to the one that has the header
        body = (item.body[0] if isinstance(item, AoT) else item).value.body
    ending = takewhile(lambda pair: pair[0] is None, reversed(body))
    return "".join(item.as_string() for _, item in reversed(list(ending)))


def _is_table(item: Item) -> TypeGuard[Table | AoT]:
    return isinstance(item, Table | AoT)


# --- How a table is spelled ----------------------------------------------------------------------


def _rendered(section: str, name: str, value: dict[str, Any]) -> str:
    table = tomlkit.table()
    for key, each in value.items():
        table.append(key, _item(each))
    servers = tomlkit.table(is_super_table=True)
    servers.append(name, table)
    document = tomlkit.document()
    document.append(section, servers)
    return tomlkit.dumps(document)


def _item(value: Any) -> Item:
    """Return a value on one line, since the entry is one table without any below it."""
    if isinstance(value, dict):
        table, space = tomlkit.inline_table(), tomlkit.ws(" " if value else "")
        table.append(None, space)
        for key, each in value.items():
            table.append(key, _item(each))
        table.append(None, space)
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        for each in value:
            array.append(_item(each))
        return array
    item: Item = tomlkit.item(value)
    return item
