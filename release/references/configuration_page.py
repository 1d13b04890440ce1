"""`docs/configuration.md`: the tables of variables and flags."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from release.references.markdown import code, table
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import Settings
from talonone_mcp.core.settings.config_file import BY_APPLICATION, keys
from talonone_mcp.terminal.serve_options import add_serve_options


def variables(_: Catalog) -> Iterator[str]:
    """Yield a table of the environment variables, each with its key in the file."""
    yield from table(
        ("variable", "in the file", "meaning"),
        (
            (code(field.alias), code(_key(attribute)), _meaning(field))
            for attribute, field in Settings.model_fields.items()
            if field.alias
        ),
    )


def flags(_: Catalog) -> Iterator[str]:
    """Yield a table of the flags of `serve`, each with its key in the file."""
    parser = argparse.ArgumentParser(add_help=False)
    add_serve_options(parser)
    actions = parser._actions  # argparse has no other way to list them
    yield from table(("flag of `serve`", "in the file", "meaning"), map(_flag, actions))


def _flag(action: argparse.Action) -> tuple[str, str, str]:
    [flag] = action.option_strings
    value = action.metavar or ("|".join(action.choices) if action.choices else "")
    if not value and action.nargs != 0:
        value = action.dest.upper()
    key = code(_key(action.dest)) if action.dest in Settings.model_fields else ""
    return code(f"{flag} {value}".strip()), key, action.help or ""


def _key(attribute: str) -> str:
    if attribute == BY_APPLICATION:
        return f"[{BY_APPLICATION}]"
    return next(
        str(key) for key in keys().values() if key.attribute == attribute and not key.holds_path
    )


def _meaning(field: FieldInfo) -> str:
    """Return the description, with the default where that tells something."""
    description = field.description or ""
    default = field.default
    if field.is_required() or field.default_factory or default in (None, {}, False):
        return description
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return f"{description.removesuffix('.')}. Default: {shown}."
