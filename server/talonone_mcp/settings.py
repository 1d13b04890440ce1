"""The configuration: flags over environment variables, checked once at start.

Every name is fixed: a flag `--confirm` and a variable `TALONONE_MANAGEMENT_KEY` mean the same
thing for ever. A secret may also stand in a file that `NAME_FILE` names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from talonone_mcp.catalog.model import Api
from talonone_mcp.state import LIFETIME, STATE_DIR, not_private, state_folder

SANDBOX_URL = "https://sandbox.invalid"  # RFC 2606: a host that no resolver ever answers for
SANDBOX_KEY = "sandbox-key-that-opens-nothing-else"

ConfirmPolicy = Literal["ask", "approve", "block", "off"]
Transport = Literal["stdio", "http"]

CREDENTIALS_OF: Mapping[Api, str] = {
    "management": "TALONONE_MANAGEMENT_KEY (or TALONONE_EMAIL and TALONONE_PASSWORD)",
    "integration": "TALONONE_INTEGRATION_KEY (or TALONONE_INTEGRATION_KEYS)",
    "third_party": "TALONONE_THIRD_PARTY_KEY",
    "capillary": "CAPILLARY_ACCESS_TOKEN (or CAPILLARY_USERNAME and CAPILLARY_PASSWORD)",
}
URL_OF: Mapping[Api, str] = {
    "management": "TALONONE_BASE_URL",
    "integration": "TALONONE_BASE_URL",
    "third_party": "TALONONE_THIRD_PARTY_URL",
    "capillary": "CAPILLARY_BASE_URL",
}
_APPLICATION = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(ValueError):
    """The configuration cannot be used. The message has one line a setting, naming it."""


def _base_url(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError, as .port does, for what is no URL at all
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
        raise ValueError("is no URL with https:// and a host")
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


def _by_application(text: object) -> dict[int, str]:
    """Read a JSON object of keys by Application id; no message repeats any of it."""
    try:
        # Objects become tuples, so that one with a name twice can be told, and is no list.
        pairs = json.loads(str(text), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, tuple) or not pairs:
        raise ValueError('must be a JSON object of Application ids and keys, such as {"42": "KEY"}')
    keys: dict[int, str] = {}
    for name, key in pairs:
        if not _APPLICATION.fullmatch(name):
            raise ValueError("has a name that is no Application id, a whole number above 0")
        if int(name) in keys:
            raise ValueError(f"has two keys for Application {name}")
        if not isinstance(key, str):
            raise ValueError(f"has a key for Application {name} that is no text")
        keys[int(name)] = key
    return keys


def _expanded(path: Path) -> Path:
    return state_folder({STATE_DIR: str(path)})


def _cache_file(path: Path) -> Path:
    try:
        path = path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    if not path.parent.is_dir():
        raise ValueError(f"{path.parent} is no folder")
    if why := not_private(path):
        raise ValueError(f"{path} {why}")
    return path


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"{path} is no folder")
    return path.resolve()


Url = Annotated[str, AfterValidator(_base_url)]
Secret = Annotated[SecretStr, AfterValidator(_header_safe)]
Limit = Annotated[int | None, Field(ge=0)]
HeaderText = Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$")]


class Settings(BaseModel):
    """A checked configuration. Attributes carry the environment variable's name as their alias.

    Those with `repr=False` are secrets, which may also stand in a file.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    base_url: Url | None = Field(default=None, alias="TALONONE_BASE_URL")
    management_key: Secret | None = Field(default=None, repr=False, alias="TALONONE_MANAGEMENT_KEY")
    email: str | None = Field(default=None, alias="TALONONE_EMAIL")
    password: SecretStr | None = Field(default=None, repr=False, alias="TALONONE_PASSWORD")
    integration_key: Secret | None = Field(
        default=None, repr=False, alias="TALONONE_INTEGRATION_KEY"
    )
    """The key of one Application, which is not said."""
    integration_keys: Annotated[dict[int, Secret], BeforeValidator(_by_application)] = Field(
        default={}, repr=False, alias="TALONONE_INTEGRATION_KEYS"
    )
    """Keys by Application id."""
    token_cache: Annotated[Path, AfterValidator(_cache_file)] | None = Field(
        default=None, alias="TALONONE_TOKEN_CACHE"
    )
    """The file that keeps the session's token; without it, only memory does."""

    third_party_url: Url = Field(
        default="https://integration.talon.one", alias="TALONONE_THIRD_PARTY_URL"
    )
    third_party_key: Secret | None = Field(
        default=None, repr=False, alias="TALONONE_THIRD_PARTY_KEY"
    )
    platform_name: HeaderText | None = Field(default=None, alias="TALONONE_PLATFORM_NAME")
    """The customer engagement platform in whose name the Third-party API is called."""

    capillary_url: Url | None = Field(default=None, alias="CAPILLARY_BASE_URL")
    capillary_username: str | None = Field(default=None, alias="CAPILLARY_USERNAME")
    capillary_password: SecretStr | None = Field(
        default=None, repr=False, alias="CAPILLARY_PASSWORD"
    )
    capillary_token: Secret | None = Field(default=None, repr=False, alias="CAPILLARY_ACCESS_TOKEN")

    import_folder: Annotated[Path, AfterValidator(_folder)] | None = Field(
        default=None, alias="TALONONE_IMPORT_DIR"
    )
    """Below which imports may read files."""
    timeout: float = Field(default=60, gt=0, le=3600, alias="TALONONE_TIMEOUT")
    """Seconds that one upstream request may take, from being sent to its last byte."""
    deadline: float = Field(default=120, gt=0, le=86_400, alias="TALONONE_DEADLINE")
    """Seconds that a call may take with all its waits and attempts."""

    state_dir: Annotated[Path, AfterValidator(_expanded)] = Field(
        default_factory=lambda: state_folder({}), alias="TALONONE_STATE_DIR"
    )
    """Where approvals, exports and the audit log are kept."""
    approval_seconds: float = Field(
        default=LIFETIME, ge=1, le=86_400, alias="TALONONE_APPROVAL_SECONDS"
    )
    """How long an approval waits for its person, and then for its call."""
    export_hours: float = Field(default=24, gt=0, le=8760, alias="TALONONE_EXPORT_HOURS")
    """How long an export is kept."""
    export_megabytes: int = Field(
        default=1024, ge=1, le=1_000_000, alias="TALONONE_EXPORT_MEGABYTES"
    )
    """How many millions of bytes all exports together may have."""
    audit_reads: bool = Field(default=False, alias="TALONONE_AUDIT_READS")
    confirm_coupons_above: Limit = Field(default=None, alias="TALONONE_CONFIRM_COUPONS_ABOVE")
    confirm_points_above: Limit = Field(default=None, alias="TALONONE_CONFIRM_POINTS_ABOVE")
    confirm_cards_above: Limit = Field(default=None, alias="TALONONE_CONFIRM_CARDS_ABOVE")
    confirm_referrals_above: Limit = Field(default=None, alias="TALONONE_CONFIRM_REFERRALS_ABOVE")

    sandbox: bool = False
    mask_pii: bool = False
    """Whether e-mail addresses, phone numbers and people's names are masked in answers."""
    profile: str | None = None
    """Whose job's tools are listed."""
    toolsets: tuple[str, ...] | None = None
    """Whose operations are listed; `all` is every one."""
    tools: tuple[str, ...] | None = None
    """Operations that are listed one by one."""
    read_only: bool = False
    """Whether nothing but reads can be called."""
    output_schemas: bool = False
    """Whether the listed tools say what their answers look like."""
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
        if self.transport == "http" and self.import_folder:
            raise ValueError("TALONONE_IMPORT_DIR: files are read over stdio only")
        self._check_pairs()
        missing = []
        if not self.base_url and self.apis != {"capillary"}:
            missing.append("TALONONE_BASE_URL (such as https://acme.europe-west1.talon.one)")
        if not self.apis:
            missing.append("TALONONE_MANAGEMENT_KEY (an API key of the Management API)")
        if missing:
            raise ValueError(
                f"not set: {' and '.join(missing)}."
                " To try it without an account: talonone-mcp serve --sandbox"
            )
        return self

    def _check_pairs(self) -> None:
        """Refuse half of what only works together, and two ways of saying who one is."""
        capillary = self.capillary_username or self.capillary_token
        together = [
            ("TALONONE_EMAIL", self.email, "TALONONE_PASSWORD", self.password),
            ("TALONONE_PASSWORD", self.password, "TALONONE_EMAIL", self.email),
            ("TALONONE_TOKEN_CACHE", self.token_cache,
             "TALONONE_EMAIL and TALONONE_PASSWORD", self.email),
            ("TALONONE_THIRD_PARTY_KEY", self.third_party_key,
             "TALONONE_PLATFORM_NAME (such as pendula)", self.platform_name),
            ("CAPILLARY_USERNAME", self.capillary_username,
             "CAPILLARY_PASSWORD", self.capillary_password),
            ("CAPILLARY_PASSWORD", self.capillary_password,
             "CAPILLARY_USERNAME", self.capillary_username),
            ("CAPILLARY_BASE_URL", self.capillary_url, CREDENTIALS_OF["capillary"], capillary),
            ("Capillary's credentials", capillary, "CAPILLARY_BASE_URL (such as"
             " https://eucrm.cc.capillarytech.com)", self.capillary_url),
        ]  # fmt: skip
        for name, value, other, needed in together:
            if value and not needed:
                raise ValueError(f"{name} is set, but also needs {other}")
        if self.integration_key and self.integration_keys:
            raise ValueError(
                "TALONONE_INTEGRATION_KEY and TALONONE_INTEGRATION_KEYS are both set; keep one"
            )
        if self.capillary_token and self.capillary_username:
            raise ValueError("CAPILLARY_ACCESS_TOKEN and CAPILLARY_USERNAME are both set; keep one")

    @property
    def apis(self) -> frozenset[Api]:
        """The APIs for which there are credentials."""
        credentials: dict[Api, object] = {
            "management": self.management_key or self.email,
            "integration": self.integration_key or self.integration_keys,
            "third_party": self.third_party_key,
            "capillary": self.capillary_token or self.capillary_username,
        }
        return frozenset(api for api, given in credentials.items() if given)

    @property
    def applications(self) -> tuple[int, ...]:
        """The ids of the Applications of which there is a key, as far as that is known."""
        return tuple(sorted(self.integration_keys))

    def url(self, api: Api) -> str:
        """Return the base URL of one API, without a final slash."""
        urls = {"third_party": self.third_party_url, "capillary": self.capillary_url}
        return urls.get(api, self.base_url) or ""

    @property
    def thresholds(self) -> dict[str, int]:
        """The operator's limits above which a call is confirmed, by what they count."""
        given = {
            "coupons": self.confirm_coupons_above,
            "points": self.confirm_points_above,
            "cards": self.confirm_cards_above,
            "referrals": self.confirm_referrals_above,
        }
        return {name: limit for name, limit in given.items() if limit is not None}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in plain text, to be taken out of whatever is shown."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        values = (*fields, *self.integration_keys.values())
        return tuple(v.get_secret_value() for v in values if isinstance(v, SecretStr))


_SECRETS = frozenset(name for name, field in Settings.model_fields.items() if not field.repr)


_LOCAL = (  # what is no part of an account, and holds in the sandbox too
    "TALONONE_STATE_DIR",
    "TALONONE_APPROVAL_SECONDS",
    "TALONONE_AUDIT_READS",
    "TALONONE_EXPORT_HOURS",
    "TALONONE_EXPORT_MEGABYTES",
    "TALONONE_CONFIRM_COUPONS_ABOVE",
    "TALONONE_CONFIRM_POINTS_ABOVE",
    "TALONONE_CONFIRM_CARDS_ABOVE",
    "TALONONE_CONFIRM_REFERRALS_ABOVE",
    "TALONONE_IMPORT_DIR",
    "TALONONE_TIMEOUT",
    "TALONONE_DEADLINE",
)


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
    if given.get("sandbox"):  # whatever is wrong with an account does not concern it
        environment = {name: environment[name] for name in _LOCAL if name in environment}
    account = _from_environment(environment)
    if given.get("sandbox"):
        account |= {
            "base_url": SANDBOX_URL,
            "management_key": SANDBOX_KEY,
            "integration_key": SANDBOX_KEY,
            "third_party_url": SANDBOX_URL,
            "third_party_key": SANDBOX_KEY,
            "platform_name": "sandbox",
            "capillary_url": SANDBOX_URL,
            "capillary_token": SANDBOX_KEY,
        }
    try:
        return Settings.model_validate(account | given)
    except ValidationError as error:
        raise SettingsError("\n".join(_line(problem) for problem in error.errors())) from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    account = {}
    for attribute, field in Settings.model_fields.items():
        name = field.alias
        if name is None:
            continue
        if environment.get(name):
            account[name] = environment[name].strip()
        if attribute in _SECRETS and (path := environment.get(f"{name}_FILE")):
            if name in account:
                raise SettingsError(f"{name} and {name}_FILE are both set; keep one")
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
