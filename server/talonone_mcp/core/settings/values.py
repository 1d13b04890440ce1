"""The types of single settings, with messages for invalid values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from talonone_mcp.core.safe_files import not_private
from talonone_mcp.core.state_folder import STATE_DIR, state_folder

_APPLICATION = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)


def _base_url(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError, as .port does, if this is not a URL at all
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
        raise ValueError("must be a URL with https:// and a host")
    if parts.query or parts.fragment or parts.username or parts.port == 0:
        raise ValueError("must consist of scheme, host, port and path only")
    url = url.rstrip("/")
    if url.endswith("/v1"):
        raise ValueError("must not end in /v1; every operation adds its own")
    return url


def _header_safe(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be one word of printable ASCII")
    return secret


def _by_application(given: object) -> dict[int, str]:
    """Read keys by Application id from a JSON object or a table; never quote them in a message."""
    keys: dict[int, str] = {}
    for name, key in _pairs(given):
        if not _APPLICATION.fullmatch(name):
            raise ValueError("has a name that is not an Application id (a positive whole number)")
        if int(name) in keys:
            raise ValueError(f"has two keys for Application {name}")
        if not isinstance(key, str):
            raise ValueError(f"has a key for Application {name} that is not text")
        keys[int(name)] = key
    return keys


def _pairs(given: object) -> Iterable[tuple[str, Any]]:
    if isinstance(given, Mapping):
        return given.items()
    try:
        # Objects become tuples, which keep duplicate names and differ from lists.
        pairs = json.loads(str(given), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, tuple) or not pairs:
        raise ValueError('must be a JSON object of Application ids and keys, such as {"42": "KEY"}')
    return pairs


def _state_dir(path: Path) -> Path:
    return state_folder({STATE_DIR: str(path)})


def _cache_file(path: Path) -> Path:
    path = expanded(path)
    if not path.parent.is_dir():
        raise ValueError(f"{path.parent} is not a folder")
    if why := not_private(path):
        raise ValueError(f"{path} {why}")
    return path


def _folder(path: Path) -> Path:
    path = expanded(path)
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder")
    return path.resolve()


def expanded(path: Path, below: Path | None = None) -> Path:
    """Return an absolute path with `~` expanded.

    Args:
        path: the path as given.
        below: the base of a relative path; the working directory by default.

    Raises:
        ValueError: `~` names a user who does not exist.
    """
    try:
        return ((below or Path()) / path.expanduser()).absolute()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


Url = Annotated[str, AfterValidator(_base_url)]
Secret = Annotated[SecretStr, AfterValidator(_header_safe)]
KeysByApplication = Annotated[dict[int, Secret], BeforeValidator(_by_application)]
Limit = Annotated[int | None, Field(ge=0)]
HeaderText = Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")]
StateFolder = Annotated[Path, AfterValidator(_state_dir)]
CacheFile = Annotated[Path, AfterValidator(_cache_file)]
Folder = Annotated[Path, AfterValidator(_folder)]
UserPath = Annotated[Path, AfterValidator(expanded)]
