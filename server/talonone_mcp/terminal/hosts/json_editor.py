"""Changes one item of a JSON text, with or without comments, and keeps every other byte.

No typed and maintained Python library does this; docs/dependencies.md lists what there is. Changes
follow the style of the file: indentation, line ends, one line or many, trailing commas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from talonone_mcp.terminal.hosts.host_errors import ShapeError
from talonone_mcp.terminal.hosts.json_reader import Collection, Document, Item, place, read

_SPACE = " \t\r\n"
_INDENT = "  "  # in a file that has no indentation to follow
# Comments that begin on the line where an item ends.
_SAME_LINE = re.compile(r"(?:[ \t]*(?://[^\r\n]*|/\*.*?\*/))*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Style:
    newline: str
    indent: str
    one_line: bool
    """Whether the file is one line, as programs write it."""


def check(text: str, section: str, kind: type, name: str = "") -> None:
    """Refuse a text that has no place for a section or for a member of it.

    Args:
        text: the text.
        section: a member of the root.
        kind: what the section must be if it exists, `dict` or `list`.
        name: a member of the section.

    Raises:
        ShapeError: the root is no object, the section is of another kind, or a name is repeated.
        JsonError: the text cannot be read.
    """
    collection = _section(text, read(text), section, kind)
    if collection:
        _only(text, collection, name)


def put(text: str, section: str, name: str, value: Any) -> str:
    """Return the text with a member of the object `section` added or replaced.

    Raises:
        ShapeError, JsonError: as `check`.
    """
    document = read(text)
    collection = _section(text, document, section, dict)
    if collection is None:
        return _new_section(text, document, section, {name: value})
    if found := _only(text, collection, name):
        lead = text[_space_before(text, found.start) : found.start]
        style = replace(_style(text, document), one_line="\n" not in lead)
        shown = _render(value, _indentation(text, found.start), style)
        return text[: found.value] + shown + text[found.end :]
    return _insert(text, document, collection, value, name)


def add(text: str, section: str, value: Any) -> str:
    """Return the text with an item appended to the array `section`.

    Raises:
        ShapeError, JsonError: as `check`.
    """
    document = read(text)
    collection = _section(text, document, section, list)
    if collection is None:
        return _new_section(text, document, section, [value])
    return _insert(text, document, collection, value)


def take(text: str, section: str, name: str) -> str:
    """Return the text without a member of the object `section`.

    Raises:
        ShapeError, JsonError: as `check`.
    """
    collection = _section(text, read(text), section, dict)
    found = _only(text, collection, name) if collection else None
    if not collection or not found:
        return text
    return _without(text, collection, collection.items.index(found))


def take_item(text: str, section: str, value: Any) -> str:
    """Return the text without the item of the array `section` that has this value.

    Raises:
        ShapeError, JsonError: as `check`.
    """
    document = read(text)
    collection = _section(text, document, section, list)
    values = document.value[section] if collection else []
    if not collection or value not in values:
        return text
    return _without(text, collection, values.index(value))


def take_section(text: str, section: str) -> str:
    """Return the text without a member of the root if that member is empty.

    Raises:
        ShapeError, JsonError: as `check`.
    """
    document = read(text)
    root = document.collections[()]
    found = _only(text, root, section)
    if found is None or document.value[section]:
        return text
    return _without(text, root, root.items.index(found))


def _section(text: str, document: Document, name: str, kind: type) -> Collection | None:
    """Return where a member of the root is, which must be an object or an array."""
    if document.blank:
        return None
    root = document.collections.get(())
    if root is None or not isinstance(document.value, dict):
        raise ShapeError(f"it holds no object, but {_what(document.value)}")
    found = _only(text, root, name)
    if found is None:
        return None
    if not isinstance(document.value[name], kind):
        wanted = "object" if kind is dict else "array"
        raise ShapeError(
            f'its "{name}" ({place(text, found.start)}) is no {wanted}, but'
            f" {_what(document.value[name])}"
        )
    return document.collections[(name,)]


def _only(text: str, collection: Collection, name: str) -> Item | None:
    found = collection.named(name)
    if len(found) > 1:
        raise ShapeError(
            f'it has "{name}" twice ({place(text, found[0].start)} and'
            f" {place(text, found[1].start)}), and only one of them counts; keep that one"
        )
    return found[0] if found else None


def _what(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", type(None): "null"}
    return names.get(type(value)) or json.dumps(value)


# --- Writing -------------------------------------------------------------------------------------


def _new_section(text: str, document: Document, section: str, value: Any) -> str:
    """Return the text with another section; a text without any value becomes an object."""
    if not document.blank:
        return _insert(text, document, document.collections[()], value, section)
    style = _style(text, document)
    ended = text if not text or text.endswith("\n") else text + style.newline
    return f"{ended}{_render({section: value}, '', style)}{style.newline}"


def _insert(
    text: str, document: Document, into: Collection, value: Any, name: str | None = None
) -> str:
    style = _style(text, document)
    before = "" if name is None else f"{json.dumps(name)}: "
    if not into.items:
        return _insert_first(text, into, before, value, style)
    last = into.items[-1]
    lead = text[_space_before(text, last.start) : last.start]
    after = last.end if last.comma is None else last.comma + 1
    end = _same_line(text, after)
    if end > after and "\n" not in lead:  # a // comment would swallow the item
        lead = style.newline + _indentation(text, into.start) + style.indent
    base = lead.rpartition("\n")[2] if "\n" in lead else None
    item = lead + before + _render(value, base or "", replace(style, one_line=base is None))
    if last.comma is not None:
        return f"{text[:end]}{item},{text[end:]}"
    return f"{text[: last.end]},{text[last.end : end]}{item}{text[end:]}"


def _insert_first(text: str, into: Collection, before: str, value: Any, style: _Style) -> str:
    """Return the text with an item in a collection that holds only comments, or nothing."""
    if style.one_line:
        item = before + _render(value, "", style)
        return f"{text[: into.start + 1]}{item}{text[into.start + 1 :]}"
    base = _indentation(text, into.start)
    at = _space_before(text, into.close)
    item = style.newline + base + style.indent + before
    item += _render(value, base + style.indent, style)
    if "\n" in text[at : into.close]:
        return f"{text[:at]}{item}{text[at:]}"
    return f"{text[:at]}{item}{style.newline}{base}{text[into.close :]}"


def _render(value: Any, base: str, style: _Style) -> str:
    """Return a value as JSON; lines after the first are indented by `base`."""
    deeper = base + style.indent
    if style.one_line or not value or not _is_nested(value):
        return json.dumps(value, ensure_ascii=_needs_escapes(value))
    if isinstance(value, dict):
        parts = [f"{_render(k, '', style)}: {_render(v, deeper, style)}" for k, v in value.items()]
    else:
        parts = [_render(each, deeper, style) for each in value]
    inside = f",{style.newline}{deeper}".join(parts)
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}{style.newline}{deeper}{inside}{style.newline}{base}{last}"


def _is_nested(value: Any) -> bool:
    """Tell whether a value takes several lines: an object, or an array that holds one."""
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_is_nested, value)))


def _needs_escapes(value: Any) -> bool:
    """Tell whether a string in it has a lone surrogate, which UTF-8 cannot encode."""
    return re.search("[\ud800-\udfff]", json.dumps(value, ensure_ascii=False)) is not None


# --- Removing ------------------------------------------------------------------------------------


def _without(text: str, collection: Collection, index: int) -> str:
    """Return the text without one item, in the neatest way that loses nothing else."""
    item = collection.items[index]
    value = _removed(read(text).value, text, collection, index)
    for shorter in _ways(text, collection, index):
        try:
            if read(shorter).value == value:
                return shorter
        except ValueError:  # a comment lost its end and swallowed what follows
            continue
    raise ShapeError(f"the entry at {place(text, item.start)} cannot be taken out alone")


def _ways(text: str, collection: Collection, index: int) -> Iterator[str]:
    item = collection.items[index]
    lead = _space_before(text, item.start)
    if item.comma is not None:
        end = item.comma + 1
        yield text[:lead] + text[end:]
        yield text[: item.start] + text[end:]
    elif index:
        comma = collection.items[index - 1].comma or lead
        yield text[:comma] + text[comma + 1 : lead] + text[item.end :]
        yield text[:comma] + text[comma + 1 : item.start] + text[item.end :]
    else:
        if lead == collection.start + 1 and not text[item.end : collection.close].strip():
            yield text[:lead] + text[collection.close :]
        yield text[:lead] + text[item.end :]
        yield text[: item.start] + text[item.end :]


def _removed(value: Any, text: str, collection: Collection, index: int) -> Any:
    """Return the value of the document without an item."""
    for path, each in read(text).collections.items():
        if each.start == collection.start:
            return _deleted(value, path, collection.items[index].name, index)
    raise ShapeError("the entry is nowhere in the file")  # it was found a moment ago


def _deleted(value: Any, path: tuple[str, ...], name: str | None, index: int) -> Any:
    if path:
        return {**value, path[0]: _deleted(value[path[0]], path[1:], name, index)}
    if name is None:
        return value[:index] + value[index + 1 :]
    return {key: each for key, each in value.items() if key != name}


# --- The style of the file -----------------------------------------------------------------------


def _style(text: str, document: Document) -> _Style:
    newline = "\r\n" if "\r\n" in text else "\n"
    root = document.collections.get(())
    if root is None or not root.items:
        return _Style(newline, _INDENT, one_line=False)
    first = root.items[0].start
    lead = text[_space_before(text, first) : first]
    indent = lead.rpartition("\n")[2].removeprefix(_indentation(text, root.start))
    one_line = "\n" not in text[root.start : root.close]
    return _Style(newline, indent if "\n" in lead and indent else _INDENT, one_line)


def _indentation(text: str, at: int) -> str:
    """Return the white space that begins the line of an offset."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _space_before(text: str, at: int) -> int:
    """Return where the white space that ends at an offset begins."""
    while at and text[at - 1] in _SPACE:
        at -= 1
    return at


def _same_line(text: str, at: int) -> int:
    found = _SAME_LINE.match(text, at)
    return found.end() if found else at
