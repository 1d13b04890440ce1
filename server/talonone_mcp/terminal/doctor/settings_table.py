"""Lists each setting and where it comes from; of a secret, shows no more than its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from talonone_mcp.core.settings import SECRETS, Origin, Settings, Sources
from talonone_mcp.core.text import one_line
from talonone_mcp.upstream.redaction import Redaction

_MASK = "****"
_SHOWN_CHARS = 4  # of a secret, for its owner to tell which one it is
_LONG_CHARS = 16  # a secret this long gives nothing away by showing them
_HIDEABLE_CHARS = 4  # a shorter secret could be a part of any text
_MAX_VALUE_CHARS = 100
_USERINFO = re.compile(r"(?<=//)[^/?#]*@|[?#].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting: the name of its variable or flag, its value without secrets, its origin."""

    name: str
    value: str
    origin: str
    is_default: bool


def setting_rows(sources: Sources) -> tuple[SettingRow, ...]:
    """Return every setting, in the order of their definitions."""
    return tuple(
        SettingRow(name, _shown(attribute, sources), _said(origin, name), origin.kind == "default")
        for attribute, name in _names().items()
        for origin in (sources.origin(attribute),)
    )


def redaction(sources: Sources) -> Redaction:
    """Return a redaction of the secrets that were given, valid or not."""
    found: list[str] = []
    for attribute in SECRETS & sources.given.keys():
        value = sources.given[attribute].value
        found += _secrets_in(value)
    return Redaction(each for each in found if len(each) >= _HIDEABLE_CHARS)


def masked(secret: str) -> str:
    """Return a secret as it is shown: the end of a long one, nothing of a short one."""
    return _MASK + (secret[-_SHOWN_CHARS:] if len(secret) >= _LONG_CHARS else "")


def _names() -> Mapping[str, str]:
    return {
        attribute: field.alias or f"--{attribute.replace('_', '-')}"
        for attribute, field in Settings.model_fields.items()
    }


def _shown(attribute: str, sources: Sources) -> str:
    given = sources.given.get(attribute)
    if given is None:
        default = Settings.model_fields[attribute].get_default(call_default_factory=True)
        return _plain(default)
    if attribute not in SECRETS:
        return one_line(_USERINFO.sub("", _plain(given.value)), _MAX_VALUE_CHARS)
    if attribute == "integration_keys":
        keys = _by_application(given.value)
        return ", ".join(f"{name}: {masked(key)}" for name, key in keys.items()) or _MASK
    return masked(given.value) if isinstance(given.value, str) else _MASK


def _said(origin: Origin, name: str) -> str:
    """Say where a setting comes from, next to its name."""
    if origin.kind == "environment" and origin.name == name:
        return "environment"
    return "command line" if origin.kind == "flag" else origin.name or origin.kind


def _plain(value: Any) -> str:
    if value is None or value == {} or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _by_application(value: Any) -> Mapping[int, str]:
    """Return the keys by Application; nothing of a value that is not valid."""
    try:
        checked = Settings.model_validate(
            {"sandbox": True, "base_url": "https://x.invalid", "integration_keys": value}
        )
    except ValueError:
        return {}
    return {name: key.get_secret_value() for name, key in checked.integration_keys.items()}


def _secrets_in(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in _secrets_in(each)]
    keys = _by_application(value).values() if str(value).startswith("{") else ()
    return [str(value), *keys]
