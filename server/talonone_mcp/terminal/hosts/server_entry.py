"""Builds the entry for a host: the command, its flags, and the settings that are not secret.

Other programs read a host's file, backups copy it, and people share it by mistake. So no secret is
ever written into one: secrets stay in files of their own that variables name, in the configuration
file, or with the host if it asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talonone_mcp.core.settings import (
    CONFIG,
    SECRETS,
    Settings,
    SettingsError,
    gather,
    load_settings,
)
from talonone_mcp.core.settings.definitions import ACCOUNT
from talonone_mcp.core.settings.values import expanded
from talonone_mcp.terminal.hosts.host_errors import HostError
from talonone_mcp.terminal.hosts.host_text import Registration
from talonone_mcp.terminal.hosts.known_hosts import Host

_PATHS = ("_FILE", "_DIR", "_CACHE", CONFIG)  # variables that end so name files and folders
_PATH_FLAGS = frozenset({"config", "prompts"})
_OURS = ("TALONONE_", "CAPILLARY_")
_FIRST_KEY = "TALONONE_MANAGEMENT_KEY"  # asked for when there are no credentials at all


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """What would be written, and what a person should know about it."""

    wanted: Registration
    left_out: tuple[str, ...]
    """Variables whose secrets were not copied."""
    missing: str
    """Why the server cannot start yet, one reason a line; "" if it can."""


def plan_entry(
    host: Host,
    name: str,
    command: list[str],
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
) -> EntryPlan:
    """Return the entry for a host, and what is left to the person.

    Args:
        host: the host.
        name: of the server.
        command: that starts this program.
        flags: of `serve`, by attribute name; None means not given.
        environment: of the terminal, whose settings the server gets.

    Raises:
        HostError: a value cannot be written, or the host would alter it.
    """
    flags = {key: value for key, value in flags.items() if value is not None}
    for each in _PATH_FLAGS & flags.keys():
        flags[each] = _absolute(f"--{each}", str(flags[each]))
    given = dict(_given(flags, environment))
    left_out = tuple(_left_out(flags, environment))
    arguments = [*command[1:], "serve", *words(flags)]
    _check(host, [command[0], *arguments], given)
    asked = {each: _id(name, each) for each in _asked(host, flags, given, left_out)}
    entry: dict[str, Any] = {**host.fixed, "command": command[0], "args": arguments}
    if shown := given | {variable: f"${{input:{each}}}" for variable, each in asked.items()}:
        entry["env"] = shown
    answers = {variable: environment.get(variable) or "x" for variable in asked}
    return EntryPlan(
        Registration(entry, tuple(_input(variable, each) for variable, each in asked.items())),
        () if host.asks_for_secrets else left_out,
        _why_not(flags, given | answers),
    )


def merged(host: Host, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new entry with what the host or its user added to the old one.

    That is every key that our entries do not have, and every variable that is not a setting.
    """
    ours = ("command", "args", "env", *host.fixed)
    before = old.get("env")
    kept = {
        key: value
        for key, value in (before if isinstance(before, dict) else {}).items()
        if not key.startswith(_OURS)
    }
    variables = kept | dict(new.get("env", {}))
    entry = {**new, **({"env": variables} if variables else {})}
    return entry | {key: value for key, value in old.items() if key not in ours}


def gone(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the variables of an old entry that a new one lacks."""
    before = old.get("env")
    return [key for key in (before if isinstance(before, dict) else {}) if key not in new["env"]]


def _given(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that are set and not secret, with absolute paths."""
    if CONFIG in environment and "config" not in flags:
        yield CONFIG, _absolute(CONFIG, environment[CONFIG].strip())
    for variable, secret in _variables(flags):
        name = f"{variable}_FILE" if secret else variable
        value = environment.get(name, "").strip()
        if value:
            yield name, _absolute(name, value) if name.endswith(_PATHS) else value


def _left_out(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    for variable, secret in _variables(flags):
        in_a_file = environment.get(f"{variable}_FILE")
        if secret and environment.get(variable) and not in_a_file:
            yield variable


def _variables(flags: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield the variable of each setting that applies, and whether it is secret."""
    for attribute, field in Settings.model_fields.items():
        if field.alias and not (flags.get("sandbox") and attribute in ACCOUNT):
            yield field.alias, attribute in SECRETS


def _absolute(name: str, path: str) -> str:
    """Return an absolute path: the host has a different working directory."""
    try:
        return str(expanded(Path(path)))
    except ValueError as error:
        raise HostError(f"{name}: {error}") from None


def words(flags: Mapping[str, Any]) -> Iterator[str]:
    """Yield the flags of `serve` as they are typed.

    Args:
        flags: by attribute name; None means not given.
    """
    for attribute, value in flags.items():
        if value is None:
            continue
        yield f"--{attribute.replace('_', '-')}"
        if value is not True:
            yield ",".join(value) if isinstance(value, tuple) else str(value)


def _check(host: Host, words: list[str], variables: Mapping[str, str]) -> None:
    texts = {**{f"the argument {word!a}": word for word in words}, **variables}
    for called, text in texts.items():
        if host.expands and re.search(host.expands, text):
            raise HostError(
                f"{called} holds a $ that {host.title} would take for a variable; nothing was"
                " changed. Rename the file or the folder"
            )
        if re.search("[\x00-\x1f\x7f\ud800-\udfff]", text):
            raise HostError(f"{called} holds a character that configuration files cannot hold")


def _asked(
    host: Host, flags: Mapping[str, Any], given: Mapping[str, str], left_out: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the secrets for which the host asks its user."""
    if not host.asks_for_secrets:
        return ()
    if left_out or SECRETS & gather(flags, given).given.keys():
        return left_out
    return (_FIRST_KEY,)


def _id(name: str, variable: str) -> str:
    return f"{name}-{variable.removeprefix('TALONONE_').lower().replace('_', '-')}"


def _input(variable: str, id_: str) -> dict[str, Any]:
    described = {field.alias: field.description for field in Settings.model_fields.values()}
    return {
        "type": "promptString",
        "id": id_,
        "description": described[variable] or variable,
        "password": True,
    }


def _why_not(flags: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    try:
        load_settings(flags, environment)
    except SettingsError as error:
        return str(error)
    return ""
