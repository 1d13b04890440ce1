"""The configuration: flags over environment variables, checked once at start.

Every name is fixed: a flag `--confirm` and a variable `TALONONE_MANAGEMENT_KEY` mean the same
thing for ever. A secret may also stand in a file that `NAME_FILE` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from talonone_mcp.catalog.model import Api

SANDBOX_URL = "https://sandbox.invalid"  # RFC 2606: a host that no resolver ever answers for
SANDBOX_KEY = "sandbox-key-that-opens-nothing-else"

ConfirmPolicy = Literal["ask", "approve", "block", "off"]
Transport = Literal["stdio", "http"]

KEY_OF: Mapping[Api, str] = {
    "management": "TALONONE_MANAGEMENT_KEY",
    "integration": "TALONONE_INTEGRATION_KEY",
}
_SECRETS = tuple(KEY_OF.values())
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(ValueError):
    """The configuration cannot be used. The message has one line a setting, naming it."""


def _base_url(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError, as .port does, for what is no URL at all
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
        raise ValueError("is no URL, such as https://acme.europe-west1.talon.one")
    if parts.query or parts.fragment or parts.username or parts.port == 0:
        raise ValueError("must be scheme, host, port and path alone")
    url = url.rstrip("/")
    if url.endswith("/v1"):
        raise ValueError("must be given without the final /v1; every operation brings its own")
    return url


def _header_safe(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be one word of printable ASCII characters")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_header_safe)]


class Settings(BaseModel):
    """A checked configuration. Attributes carry the environment variable's name as their alias."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    base_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        default=None, alias="TALONONE_BASE_URL"
    )
    management_key: Secret | None = Field(default=None, alias="TALONONE_MANAGEMENT_KEY")
    integration_key: Secret | None = Field(default=None, alias="TALONONE_INTEGRATION_KEY")
    timeout: float = Field(default=60, gt=0, le=3600, alias="TALONONE_TIMEOUT")
    """Seconds that one upstream request may take, from being sent to its last byte."""

    sandbox: bool = False
    confirm: ConfirmPolicy = "ask"
    transport: Transport = "stdio"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.host not in _LOOPBACK:
            raise ValueError(
                f"--host {self.host}: only {', '.join(_LOOPBACK)} can be served, because"
                " this version has no authentication for other machines"
            )
        if self.base_url and self.apis:
            return self
        missing = []
        if not self.base_url:
            missing.append("TALONONE_BASE_URL (such as https://acme.europe-west1.talon.one)")
        if not self.apis:
            missing.append("TALONONE_MANAGEMENT_KEY (an API key of the Management API)")
        raise ValueError(
            f"not set: {' and '.join(missing)}."
            " To try it without an account: talonone-mcp serve --sandbox"
        )

    @property
    def apis(self) -> frozenset[Api]:
        """The APIs for which there is a key."""
        return frozenset(api for api in KEY_OF if self.key(api))

    def key(self, api: Api) -> SecretStr | None:
        """Return the key of one API."""
        return self.management_key if api == "management" else self.integration_key


def load_settings(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Combine flags and environment.

    Args:
        flags: settings by attribute name; None means that the flag was not given.
        environment: variables by name. An empty one counts as not set.

    Raises:
        SettingsError: something is missing, malformed or contradictory.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if given.get("transport", "stdio") == "stdio" and (given.keys() & {"host", "port"}):
        raise SettingsError("--host and --port need --transport http")
    if given.get("sandbox"):
        account: dict[str, str] = {
            "base_url": SANDBOX_URL,
            "management_key": SANDBOX_KEY,
            "integration_key": SANDBOX_KEY,
        }
    else:
        account = _account(environment)
    try:
        return Settings.model_validate(account | given)
    except ValidationError as error:
        raise SettingsError("\n".join(_line(problem) for problem in error.errors())) from None


def _account(environment: Mapping[str, str]) -> dict[str, str]:
    names = ("TALONONE_BASE_URL", "TALONONE_TIMEOUT", *_SECRETS)
    account = {name: environment[name].strip() for name in names if environment.get(name)}
    for name in _SECRETS:
        path = environment.get(f"{name}_FILE")
        if path and name in account:
            raise SettingsError(f"{name} and {name}_FILE are both set; keep one")
        if path:
            account[name] = _read_secret(f"{name}_FILE", Path(path))
    return account


def _read_secret(setting: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"{setting}: cannot read {path}: {reason}") from None


def _line(problem: Mapping[str, Any]) -> str:
    """Say one pydantic error in one line that names the setting and never repeats a secret."""
    message = str(problem["msg"]).removeprefix("Value error, ")
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if name and not name.isupper():
        name = f"--{name.replace('_', '-')}"
    return f"{name}: {message}" if name else message
