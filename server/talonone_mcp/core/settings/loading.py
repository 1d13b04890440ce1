"""Load settings: flags override environment variables, which override the configuration file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from talonone_mcp.core.safe_files import UnsafeFileError, read_regular
from talonone_mcp.core.settings.config_file import CONFIG, ConfigFile, entries, find_file, given
from talonone_mcp.core.settings.definitions import (
    ACCOUNT,
    SANDBOX_KEY,
    SANDBOX_URL,
    SECRETS,
    Settings,
)
from talonone_mcp.core.settings.origins import DEFAULT, Given, Origin, SettingsError
from talonone_mcp.core.settings.values import expanded
from talonone_mcp.core.state_folder import StateError

_MAX_SECRET_BYTES = 65_536  # of a secret file; fits the keys of many Applications

_SANDBOX: Mapping[str, str] = {
    "base_url": SANDBOX_URL,
    "management_key": SANDBOX_KEY,
    "integration_key": SANDBOX_KEY,
    "third_party_url": SANDBOX_URL,
    "third_party_key": SANDBOX_KEY,
    "platform_name": "sandbox",
    "capillary_url": SANDBOX_URL,
    "capillary_token": SANDBOX_KEY,
}


@dataclass(frozen=True, slots=True)
class Sources:
    """The given values by setting attribute, before validation.

    Attributes:
        given: the values and their origins.
        file: the configuration file, if one was read.
        problems: everything found wrong so far, one line each.
    """

    given: Mapping[str, Given]
    file: Path | None
    problems: tuple[str, ...]

    def origin(self, attribute: str) -> Origin:
        """Return where a setting came from."""
        value = self.given.get(attribute)
        return value.origin if value else DEFAULT

    @property
    def settings(self) -> Settings:
        """The validated settings.

        Raises:
            SettingsError: something is missing, malformed or contradictory.
        """
        if self.problems:
            raise SettingsError("\n".join(self.problems))
        try:
            return Settings.model_validate({name: each.value for name, each in self.given.items()})
        except ValidationError as error:
            lines = (self._line(problem) for problem in error.errors())
            raise SettingsError("\n".join(lines)) from None

    def _line(self, problem: Mapping[str, Any]) -> str:
        """Return one line for an error, naming the setting and never quoting a secret."""
        message = str(problem["msg"]).removeprefix("Value error, ")
        if not problem["loc"]:
            return message
        name = str(problem["loc"][0])
        attribute = _ATTRIBUTES.get(name, name)
        origin = self.origin(attribute)
        return f"{_public_name(attribute) if origin == DEFAULT else origin}: {message}"


def load_settings(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Combine flags, environment and the configuration file.

    Args:
        flags: settings by attribute name, and `config`, the path of the file. None means not given.
        environment: variables by name. Empty ones count as unset.

    Raises:
        SettingsError: something is missing, malformed or contradictory.
    """
    return gather(flags, environment).settings


def gather(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Sources:
    """Collect the settings and where each came from. Problems are returned, not raised.

    Args:
        flags: as for `load_settings`.
        environment: as for `load_settings`.
    """
    problems: list[str] = []
    from_flags = dict(_from_flags(flags))
    file = _file(flags.get("config"), environment, problems)
    in_file = list(entries(file, problems)) if file else []
    sandbox = "sandbox" in from_flags or any(
        key.attribute == "sandbox" and value is True for key, value in in_file
    )
    # The sandbox ignores account settings, so errors in them do not matter.
    ignored = ACCOUNT if sandbox else frozenset()
    from_file: dict[str, Given] = {}
    if file:
        in_file = [(key, value) for key, value in in_file if key.attribute not in ignored]
        from_file = _from_file(file, in_file, problems)
    from_environment = _from_environment(environment, ignored, problems)
    settings = from_file | from_environment
    if sandbox:
        settings |= {name: Given(value, Origin("sandbox")) for name, value in _SANDBOX.items()}
    settings |= from_flags
    transport = settings.get("transport")
    if not (transport and transport.value == "http") and from_flags.keys() & {"host", "port"}:
        problems.append("--host and --port need --transport http")
    settings = _with_secrets(settings, problems)
    return Sources(settings, file.path if file else None, tuple(problems))


def with_state(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables, adding the configuration file's settings of the state directory.

    This is for commands that inspect the state directory and need no account.

    Raises:
        StateError: the file is unusable; the message names it.
    """
    sources = gather({"sandbox": True}, environment)
    if sources.problems:
        raise StateError(sources.problems[0])
    from_file = {name: sources.given[name] for name in ("state_dir", "approval_seconds")
            if sources.origin(name).kind == "file"}  # fmt: skip
    return {
        **environment,
        **{_public_name(name): str(each.value) for name, each in from_file.items()},
    }


def _from_flags(flags: Mapping[str, Any]) -> Iterator[tuple[str, Given]]:
    for name, value in flags.items():
        if name in Settings.model_fields and value is not None:
            yield name, Given(value, Origin("flag", _public_name(name)))


def _file(
    named: Path | None, environment: Mapping[str, str], problems: list[str]
) -> ConfigFile | None:
    try:
        return find_file(named, environment)
    except SettingsError as error:
        problems.append(str(error))
        return None


def _from_file(
    file: ConfigFile, pairs: Iterable[tuple[Any, Any]], problems: list[str]
) -> dict[str, Given]:
    settings: dict[str, Given] = {}
    for key, value in pairs:
        try:
            setting = given(file, key, value)
        except SettingsError as error:
            problems.append(str(error))
            continue
        if other := settings.get(key.attribute):
            problems.append(f"{file.path}: {key} and {other.origin.name} are both set; keep one")
        settings[key.attribute] = setting
    secrets = [
        each.origin.name
        for name, each in settings.items()
        if name in SECRETS and each.origin.secret_file is None
    ]
    if secrets and file.exposed:
        problems.append(f"{file.path}: {file.exposed}, but it holds a secret ({secrets[0]})")
    return settings


def _from_environment(
    environment: Mapping[str, str], ignored: frozenset[str], problems: list[str]
) -> dict[str, Given]:
    settings: dict[str, Given] = {}
    for name, attribute in _ATTRIBUTES.items():
        if attribute in ignored:
            continue
        if environment.get(name):
            settings[attribute] = Given(environment[name].strip(), Origin("environment", name))
        if attribute in SECRETS and (named := environment.get(f"{name}_FILE")):
            if attribute in settings:
                problems.append(f"{name} and {name}_FILE are both set; keep one")
                continue
            origin = Origin("environment", f"{name}_FILE", secret_file=Path(named))
            settings[attribute] = Given(named, origin)
    return settings


def _with_secrets(unread: Mapping[str, Given], problems: list[str]) -> dict[str, Given]:
    """Return the settings, replacing the names of secret files with their content."""
    settings = dict(unread)
    for name, each in unread.items():
        if each.origin.secret_file is None:
            continue
        try:
            settings[name] = Given(_read_secret(each.origin.secret_file), each.origin)
        except SettingsError as error:
            problems.append(f"{each.origin}: {error}")
            del settings[name]
    return settings


def _read_secret(path: Path) -> str:
    try:
        return read_regular(expanded(path), max_bytes=_MAX_SECRET_BYTES).decode().strip()
    except UnsafeFileError as error:
        raise SettingsError(f"cannot read {path}: it {error}") from None
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"cannot read {path}: it is not UTF-8 text") from None
    except ValueError as error:  # `~` names an unknown user
        raise SettingsError(f"cannot read {path}: {error}") from None


def variables() -> frozenset[str]:
    """Return the names of all environment variables that the server reads."""
    files = {f"{_public_name(attribute)}_FILE" for attribute in SECRETS}
    return frozenset({*_ATTRIBUTES, *files, CONFIG})


def _public_name(attribute: str) -> str:
    """Return the public name of a setting: its variable or its flag."""
    return Settings.model_fields[attribute].alias or f"--{attribute.replace('_', '-')}"


_ATTRIBUTES: Mapping[str, str] = {
    field.alias: attribute for attribute, field in Settings.model_fields.items() if field.alias
}
