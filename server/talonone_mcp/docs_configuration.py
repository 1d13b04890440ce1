"""The README's tables of what can be configured, out of the settings and the parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from talonone_mcp.core.settings import Settings
from talonone_mcp.core.settings.config_file import BY_APPLICATION, keys
from talonone_mcp.terminal.options import add_serve_options


def tables() -> Iterator[str]:
    """Yield the lines of the tables of variables and of flags, in Markdown."""
    yield from _variables()
    yield ""
    yield from _flags()


def _variables() -> Iterator[str]:
    yield "| variable | in the file | meaning |"
    yield "| --- | --- | --- |"
    for attribute, field in Settings.model_fields.items():
        if field.alias:
            yield _row(f"`{field.alias}`", f"`{_key(attribute)}`", _meaning(field))


def _flags() -> Iterator[str]:
    parser = argparse.ArgumentParser(add_help=False)
    add_serve_options(parser)
    yield "| flag of `talonone-mcp [serve]` | in the file | meaning |"
    yield "| --- | --- | --- |"
    for action in parser._actions:  # argparse has no other way to list them
        [flag] = action.option_strings
        value = action.metavar or ("|".join(action.choices) if action.choices else "")
        if not value and action.nargs != 0:
            value = action.dest.upper()
        known = action.dest in Settings.model_fields
        key = f"`{_key(action.dest)}`" if known else ""
        yield _row(f"`{f'{flag} {value}'.strip()}`", key, action.help or "")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _key(attribute: str) -> str:
    if attribute == BY_APPLICATION:
        return f"[{BY_APPLICATION}]"
    return next(
        str(key) for key in keys().values() if key.attribute == attribute and not key.holds_path
    )


def _meaning(field: FieldInfo) -> str:
    """Return the description, with the default where that says something."""
    said = field.description or ""
    default = field.default
    if field.is_required() or field.default_factory or default in (None, {}, False):
        return said
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return f"{said.removesuffix('.')}; {shown} unless set."
