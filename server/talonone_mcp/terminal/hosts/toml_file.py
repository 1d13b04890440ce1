"""Changes one table of a TOML text and leaves every other byte alone.

A table can stand at the end of any TOML file, so that nothing needs to be known of the rest but
what it says: after each change the standard library reads the text again, and what it says must be
what it said before, but for the entry. What is not written as a table of its own is left to a
person.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from talonone_mcp.terminal.hosts.host_errors import ShapeError

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TOKEN = re.compile(
    r"""#[^\n]*|\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""",
    re.DOTALL,
)
_BY_HAND = "--print shows the entry, to be put there by hand"


def put(text: str, section: str, name: str, value: dict[str, Any]) -> str:
    """Return the text with the table `[section.name]`, new at its end or in place of the old one.

    Raises:
        ShapeError: the section or the old entry is written in another way than as tables.
        tomllib.TOMLDecodeError: the text cannot be read.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    before = tomllib.loads(text)
    table = _render(section, name, value).replace("\n", newline)
    if name in _servers(before, section):
        blocks = _blocks(text, section, name)
        if not blocks:
            raise ShapeError(f'its "{name}" is no table of its own; {_BY_HAND}')
        first = blocks[0][0]
        rest = _cut(text, blocks)
        changed = rest[:first] + table + rest[first:]
    else:
        ended = text if not text or text.endswith("\n") else text + newline
        changed = f"{ended}{newline if ended.strip() else ''}{table}"
    after = {**before, section: {**_servers(before, section), name: value}}
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
    blocks = _blocks(text, section, name)
    changed = _cut(text, blocks)
    if blocks and not changed[blocks[0][0] :].strip():  # it was the last: no empty lines at the end
        newline = "\r\n" if "\r\n" in text else "\n"
        changed = changed.rstrip() + newline if changed.strip() else ""
    meant = [{**rest, section: servers}, *([] if servers else [rest])]
    return _checked(changed, meant, f'its "{name}" is no table of its own')


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
    try:
        says = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        says = None
    if says not in meant:
        raise ShapeError(f"{otherwise}; {_BY_HAND}")
    return text


def _blocks(text: str, section: str, name: str) -> list[tuple[int, int]]:
    """Return where the lines of a table, and of those below it, begin and end.

    Comments and empty lines at the end of a block belong to what follows it.
    """
    quoted = rf"[\"']?{re.escape(name)}[\"']?"
    ours = re.compile(rf"[ \t]*\[[ \t]*{section}[ \t]*\.[ \t]*{quoted}[ \t]*[.\]]")
    blocks, at, start, end = [], 0, None, 0
    for line in re.findall(r"[^\n]*\n?", _TOKEN.sub(_masked, text)):
        if line.lstrip(" \t").startswith("["):
            if start is not None:
                blocks.append((start, end))
            start = at if ours.match(line) else None
        at += len(line)
        if line.strip() and not line.lstrip().startswith("#"):
            end = at
    return blocks if start is None else [*blocks, (start, end)]


def _masked(token: re.Match[str]) -> str:
    """Return as many other characters for a text of several lines: no line of it is a header."""
    found = token.group()
    return "_" * len(found) if found.startswith(('"""', "'''")) else found


def _cut(text: str, blocks: list[tuple[int, int]]) -> str:
    for start, end in reversed(blocks):
        text = text[:start] + text[end:]
    return text


def _render(section: str, name: str, value: dict[str, Any]) -> str:
    lines = [f"{_key(key)} = {_value(each)}\n" for key, each in value.items()]
    return f"[{section}.{_key(name)}]\n{''.join(lines)}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    """Return a value on one line: what JSON and TOML write alike, as JSON does."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value) if isinstance(value, (bool, int, float)) else str(value)
