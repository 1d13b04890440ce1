"""The configuration file: TOML whose keys derive from the names of the settings.

`TALONONE_BASE_URL` is `base_url` in the table `[talonone]`, `CAPILLARY_USERNAME` is `username` in
`[capillary]`, and the flag `--read-only` is `read_only` in `[serve]`. The keys of several
Applications have their own table, `[integration_keys]`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from talonone_mcp.core.names import nearest
from talonone_mcp.core.safe_files import (
    UnsafeFileError,
    not_private,
    open_regular,
    read_at_most,
)
from talonone_mcp.core.settings.definitions import SECRETS, Settings
from talonone_mcp.core.settings.origins import Given, Origin, SettingsError
from talonone_mcp.core.settings.values import expanded

CONFIG = "TALONONE_CONFIG"
BY_APPLICATION = "integration_keys"
_MAX_BYTES = 2**20  # far more than any configuration needs
_PLACE = re.compile(r"(.*) \(at (line \d+, column \d+|end of document)\)", re.DOTALL)
_KINDS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "string": ("text in quotes", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number", lambda value: type(value) is int),
    "number": ("a number", lambda value: type(value) in (int, float)),
    "object": ("a table of keys by Application id", lambda value: isinstance(value, dict)),
    "array": (
        "a list of names in quotes",
        lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    ),
}


@dataclass(frozen=True, slots=True)
class Key:
    """A setting's place in the file. With `holds_path`, its value is the path of a secret file."""

    attribute: str
    table: str
    name: str
    holds_path: bool = False

    def __str__(self) -> str:
        """Return the key as messages show it, such as `[talonone] base_url`."""
        return f"[{self.table}] {self.name}".strip()


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A parsed file; `exposed` says why secrets are not safe in it, "" if they are."""

    path: Path
    document: Mapping[str, Any]
    exposed: str


def user_file() -> Path:
    """Return the default path of a user's configuration file; it may not exist."""
    return user_config_path("talonone-mcp", appauthor=False) / "config.toml"


def find_file(named: str | Path | None, environment: Mapping[str, str]) -> ConfigFile | None:
    """Return the named file, or else the user's own if it exists.

    Args:
        named: the value of `--config`, which overrides the variable.
        environment: variables by name.

    Raises:
        SettingsError: the file cannot be read or is not TOML; the message names it.
    """
    by = "--config" if named else CONFIG
    if given := str(named or environment.get(CONFIG, "")).strip():
        try:
            path = expanded(Path(given))
        except ValueError as error:
            raise SettingsError(f"{by}: {error}") from None
        return _read(path, f"{by}: cannot read {path}")
    path = user_file()
    return _read(path, f"cannot read {path}") if os.path.lexists(path) else None


def _read(path: Path, failed: str) -> ConfigFile:
    try:
        with open_regular(path, max_bytes=_MAX_BYTES) as file:
            exposed = not_private(file.fileno())
            content = read_at_most(file, _MAX_BYTES)
        return ConfigFile(path, tomllib.loads(content.decode("utf-8-sig")), exposed)
    except UnsafeFileError as error:
        raise SettingsError(f"{failed}: it {error}") from None
    except OSError as error:
        raise SettingsError(f"{failed}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}: line {line}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {_placed(str(error))}") from None
    except RecursionError:
        raise SettingsError(f"{failed}: it is nested too deeply") from None


def _placed(message: str) -> str:
    """Return a TOML error with its place in front."""
    match = _PLACE.fullmatch(message)
    if not match:
        return f"is not valid TOML: {message}"
    fault, place = match.groups()
    return f"{place}: is not valid TOML: {fault[0].lower()}{fault[1:]}"


@cache
def keys() -> Mapping[tuple[str, str], Key]:
    """Return every key by (table, name), in the order of the settings."""
    return {(key.table, key.name): key for key in _keys()}


def _keys() -> Iterator[Key]:
    for attribute, field in Settings.model_fields.items():
        table, name = "serve", attribute
        if field.alias:
            table, _, name = field.alias.lower().partition("_")
        if attribute in SECRETS:
            yield Key(attribute, table, f"{name}_file", holds_path=True)
        if attribute == BY_APPLICATION:
            table, name = BY_APPLICATION, ""
        yield Key(attribute, table, name)


def entries(file: ConfigFile, problems: list[str]) -> Iterator[tuple[Key, Any]]:
    """Yield each known key of a file with its value.

    Args:
        file: the file.
        problems: receives a line for each unknown key, suggesting the nearest one.
    """
    tables = dict.fromkeys(table for table, _ in keys())
    for table, content in file.document.items():
        if table not in tables:
            problems.append(f"{file.path}: {_stray(table, content)}")
        elif table == BY_APPLICATION:
            yield keys()[table, ""], content
        elif not isinstance(content, dict):
            problems.append(f"{file.path}: {table} must be a table, [{table}]")
        else:
            for name, value in content.items():
                if key := keys().get((table, name)):
                    yield key, value
                else:
                    problems.append(f"{file.path}: [{table}] {name}: {_no_such_key(table, name)}")


def _stray(name: str, content: object) -> str:
    """Explain an unknown top-level name, saying where it belongs."""
    if isinstance(content, dict):
        tables = [table for table, _ in keys()]
        near = nearest(name, tables)
        known = ", ".join(f"[{table}]" for table in dict.fromkeys(tables))
        return f"there is no table [{name}]; " + (
            f"did you mean [{near[0]}]?" if near else f"the tables are {known}"
        )
    for key in keys().values():
        if key.name == name:
            return f"{name} is outside any table; move it below [{key.table}]"
    return f"{name}: {_no_such_key('', name)}"


def _no_such_key(table: str, name: str) -> str:
    """Suggest the nearest key, preferably in the same table."""
    own = [key for key in keys().values() if key.table == table]
    for among in (own, [*keys().values()]):
        by_name = {key.name: key for key in reversed(among)}
        if near := nearest(name, by_name):
            return f"there is no such key; did you mean {by_name[near[0]]}?"
    return "there is no such key"


def given(file: ConfigFile, key: Key, value: object) -> Given:
    """Return a setting from a file; a relative path is relative to the file.

    Raises:
        SettingsError: the value does not have the setting's type.
    """
    schema = _schema(key.attribute)
    expected, fits = _KINDS["string" if key.holds_path else schema["type"]]
    origin = Origin("file", str(key), file.path)
    if not fits(value):
        raise SettingsError(f"{origin}: must be {expected}")
    if not key.holds_path and schema.get("format") not in ("path", "directory-path", "file-path"):
        return Given(value, origin)
    try:
        path = expanded(Path(str(value)), file.path.parent)
    except ValueError as error:
        raise SettingsError(f"{origin}: {error}") from None
    return Given(path, Origin("file", str(key), file.path, path if key.holds_path else None))


def _schema(attribute: str) -> Mapping[str, Any]:
    """Return the JSON Schema of a setting, ignoring null."""
    schema: Mapping[str, Any] = _schemas()[attribute]
    return next((each for each in schema.get("anyOf", ()) if each["type"] != "null"), schema)


@cache
def _schemas() -> Mapping[str, Any]:
    properties: Mapping[str, Any] = Settings.model_json_schema(by_alias=False)["properties"]
    return properties
