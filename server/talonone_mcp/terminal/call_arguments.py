"""Reads the arguments of a call as a person gives them: key=value pairs, and a file of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from talonone_mcp.core.catalog import Catalog, Tool
from talonone_mcp.core.text import one_line

_MAX_QUOTED_CHARS = 60  # of what was typed
_STDIN = "-"


class ArgumentsError(ValueError):
    """What was typed cannot be read; the message says which part, and what to type instead."""


def find_tool(catalog: Catalog, name: str) -> Tool:
    """Return the operation or workflow of this name.

    Raises:
        ArgumentsError: there is none.
    """
    tool = catalog.find(name)
    if tool is None:
        near = " or ".join(catalog.nearest(name))
        raise ArgumentsError(
            f"there is no operation {one_line(name, _MAX_QUOTED_CHARS)!r}; the nearest are {near}."
            " To search: talonone-mcp tools --search WORDS"
        )
    return tool


def read_arguments(
    tool: Tool, pairs: Iterable[str], file: str | None, text: str | None = None
) -> dict[str, Any]:
    """Return the arguments of a call; pairs override the text, which overrides the file.

    Args:
        tool: what is called; its schema tells which values are text.
        pairs: `key=value`; a value is JSON, or text if it is not valid JSON.
        file: the path of a JSON object; `-` for stdin, None for no file.
        text: a JSON object, as `--arguments` has it.

    Raises:
        ArgumentsError: a pair has no key or is repeated, or the file cannot be read, or it or the
            text holds no object.
    """
    given: dict[str, Any] = {}
    for number, pair in enumerate(pairs, start=1):
        key, equals, value = pair.partition("=")
        if not (equals and key.strip()):
            raise ArgumentsError(
                f"argument {number}, {one_line(pair, _MAX_QUOTED_CHARS)!r}, is not key=value."
                f" {_takes(tool)}"
            )
        if key in given:
            raise ArgumentsError(
                f"{one_line(key, _MAX_QUOTED_CHARS)} is given twice; give a list as JSON"
            )
        given[key] = _value(tool, key, value)
    from_file = _from_file(file) if file else {}
    from_text = {} if text is None else _object(text, "--arguments", "the text")
    return {**from_file, **from_text, **given}


def _takes(tool: Tool) -> str:
    names = ", ".join(tool.input_schema["properties"])
    return f"{tool.name} takes {names or 'none'}." if len(names) < _MAX_QUOTED_CHARS * 4 else ""


def _value(tool: Tool, key: str, text: str) -> Any:
    """Return a value; it is not parsed if it can only be text."""
    schema = {**tool.input_schema["properties"], **tool.reserved}.get(key, {})
    if schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if text[:1] not in ("{", "["):
            return text  # the schema tells what it should have been
        raise ArgumentsError(
            f"{key}: the JSON cannot be read at character {error.pos + 1}: {error.msg}."
            " In a shell, put it in single quotes, or use --input FILE"
        ) from None


def _from_file(name: str) -> dict[str, Any]:
    shown = "stdin" if name == _STDIN else name
    try:
        text = sys.stdin.read() if name == _STDIN else Path(name).read_text("utf-8-sig")
    except OSError as error:
        raise ArgumentsError(f"--input: cannot read {shown}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ArgumentsError(f"--input: {shown} is no UTF-8 text") from None
    return _object(text, "--input", shown)


def _object(text: str, option: str, shown: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except RecursionError:
        raise ArgumentsError(f"{option}: {shown} is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ArgumentsError(
            f"{option}: {shown}, line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    if not isinstance(document, dict):
        raise ArgumentsError(
            f"{option}: {shown} must hold a JSON object, with the arguments by name"
        )
    return document
