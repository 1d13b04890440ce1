"""The settings: their names, what they mean, and which belong together.

Names never change: the flag `--confirm` and the variable `TALONONE_MANAGEMENT_KEY` keep their
meaning forever. This is the only place that defines a setting; all descriptions derive from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from talonone_mcp.core.catalog.model import Api
from talonone_mcp.core.policy import Policy, operators_policy
from talonone_mcp.core.settings.values import (
    CacheFile,
    Folder,
    HeaderText,
    KeysByApplication,
    Limit,
    Secret,
    StateFolder,
    Url,
    UserPath,
)
from talonone_mcp.core.state_folder import APPROVAL_LIFETIME_S, state_folder

SANDBOX_URL = "https://sandbox.invalid"  # RFC 2606: a host that never resolves
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
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Settings(BaseModel):
    """A validated configuration.

    An attribute's alias is its environment variable; attributes without one are flags. Those with
    `repr=False` are secrets, which can also be in files of their own. A description states the
    default only if the field itself does not hold it.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    base_url: Url | None = Field(
        default=None,
        alias="TALONONE_BASE_URL",
        description="The URL of your deployment, such as https://acme.europe-west1.talon.one.",
    )
    management_key: Secret | None = Field(
        default=None,
        repr=False,
        alias="TALONONE_MANAGEMENT_KEY",
        description="A Management API key.",
    )
    email: str | None = Field(
        default=None,
        alias="TALONONE_EMAIL",
        description="The e-mail address of an account, instead of a Management API key. The server"
        " signs in at first use and keeps the session in memory.",
    )
    password: SecretStr | None = Field(
        default=None,
        repr=False,
        alias="TALONONE_PASSWORD",
        description="The password of that account.",
    )
    token_cache: CacheFile | None = Field(
        default=None,
        alias="TALONONE_TOKEN_CACHE",
        description="A file that keeps that session across restarts; only its owner may have"
        " access to it.",
    )
    integration_key: Secret | None = Field(
        default=None,
        repr=False,
        alias="TALONONE_INTEGRATION_KEY",
        description="An Integration API key; it belongs to one Application.",
    )
    integration_keys: KeysByApplication = Field(
        default={},
        repr=False,
        alias="TALONONE_INTEGRATION_KEYS",
        description="Instead of that key, the keys of several Applications by id, as a JSON object:"
        ' {"42": "KEY", "43": "KEY"}. Each call then picks one with applicationId.',
    )
    third_party_key: Secret | None = Field(
        default=None,
        repr=False,
        alias="TALONONE_THIRD_PARTY_KEY",
        description="A Third-party API key.",
    )
    platform_name: HeaderText | None = Field(
        default=None,
        alias="TALONONE_PLATFORM_NAME",
        description="The customer engagement platform of that key, such as pendula.",
    )
    third_party_url: Url = Field(
        default="https://integration.talon.one",
        alias="TALONONE_THIRD_PARTY_URL",
        description="The URL of the Third-party API.",
    )

    capillary_url: Url | None = Field(
        default=None,
        alias="CAPILLARY_BASE_URL",
        description="The URL of Capillary's API, such as https://eucrm.cc.capillarytech.com.",
    )
    capillary_token: Secret | None = Field(
        default=None,
        repr=False,
        alias="CAPILLARY_ACCESS_TOKEN",
        description="An OAuth access token for Capillary.",
    )
    capillary_username: str | None = Field(
        default=None,
        alias="CAPILLARY_USERNAME",
        description="A Capillary user for Basic authentication, instead of a token.",
    )
    capillary_password: SecretStr | None = Field(
        default=None,
        repr=False,
        alias="CAPILLARY_PASSWORD",
        description="The password of that user.",
    )

    import_folder: Folder | None = Field(
        default=None,
        alias="TALONONE_IMPORT_DIR",
        description="The folder below which imports may read files (csvPath); stdio only.",
    )
    timeout: float = Field(
        default=60,
        gt=0,
        le=3600,
        alias="TALONONE_TIMEOUT",
        description="Seconds that one upstream request may take, from its first byte sent to the"
        " last byte received.",
    )
    deadline: float = Field(
        default=120,
        gt=0,
        le=86_400,
        alias="TALONONE_DEADLINE",
        description="Seconds that a call may take, including all waits and retries.",
    )

    confirm_coupons_above: Limit = Field(
        default=None,
        alias="TALONONE_CONFIRM_COUPONS_ABOVE",
        description="The number of coupon codes, counted with their uses, above which a person"
        " must confirm: in one call, and as the sum of 24 hours (ten times that for all principals"
        " together). 100 by default.",
    )
    confirm_points_above: Limit = Field(
        default=None,
        alias="TALONONE_CONFIRM_POINTS_ABOVE",
        description="The same for loyalty points; 1000 by default.",
    )
    confirm_cards_above: Limit = Field(
        default=None,
        alias="TALONONE_CONFIRM_CARDS_ABOVE",
        description="The same for loyalty cards; 100 by default.",
    )
    confirm_referrals_above: Limit = Field(
        default=None,
        alias="TALONONE_CONFIRM_REFERRALS_ABOVE",
        description="The same for referral codes; 100 by default.",
    )
    policy_file: UserPath | None = Field(
        default=None,
        alias="TALONONE_POLICY_FILE",
        description="A file that says what a person must confirm, in YAML. It overrides the four"
        " limits above.",
    )
    state_dir: StateFolder = Field(
        default_factory=lambda: state_folder({}),
        alias="TALONONE_STATE_DIR",
        description="The folder for approvals, exports and the audit log; by default in your"
        " system's folder for user state.",
    )
    approval_seconds: float = Field(
        default=APPROVAL_LIFETIME_S,
        ge=1,
        le=86_400,
        alias="TALONONE_APPROVAL_SECONDS",
        description="Seconds that an approval waits for a decision, and then for its call.",
    )
    export_hours: float = Field(
        default=24,
        gt=0,
        le=8760,
        alias="TALONONE_EXPORT_HOURS",
        description="Hours for which an export is kept.",
    )
    export_megabytes: int = Field(
        default=1024,
        ge=1,
        le=1_000_000,
        alias="TALONONE_EXPORT_MEGABYTES",
        description="The maximum size of all exports together, in megabytes (millions of bytes).",
    )
    audit_reads: bool = Field(
        default=False,
        alias="TALONONE_AUDIT_READS",
        description="Whether the audit log records reads too.",
    )

    # The flags of `serve`; its help explains them.
    sandbox: bool = False
    mask_pii: bool = False
    profile: str | None = None
    toolsets: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    prompts: Folder | None = None
    read_only: bool = False
    output_schemas: bool = False
    confirm: ConfirmPolicy = "ask"
    transport: Transport = "stdio"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.host not in _LOOPBACK:
            raise ValueError(
                f"--host {self.host}: must be one of {', '.join(_LOOPBACK)}, because"
                " this version cannot authenticate clients on other machines"
            )
        if self.transport == "http" and self.import_folder:
            raise ValueError("TALONONE_IMPORT_DIR: imports read files over stdio only")
        self._check_pairs()
        missing = []
        if not self.base_url and self.apis != {"capillary"}:
            missing.append("TALONONE_BASE_URL (such as https://acme.europe-west1.talon.one)")
        if not self.apis:
            missing.append("TALONONE_MANAGEMENT_KEY (a Management API key)")
        if missing:
            raise ValueError(
                f"not set: {' and '.join(missing)}."
                " To try it without an account: talonone-mcp serve --sandbox"
            )
        return self

    def _check_pairs(self) -> None:
        """Refuse incomplete pairs of settings, and two credentials for the same API."""
        capillary = self.capillary_username or self.capillary_token
        pairs = [
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
        for name, value, other, needed in pairs:
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
        """The APIs that have credentials."""
        credentials: dict[Api, object] = {
            "management": self.management_key or self.email,
            "integration": self.integration_key or self.integration_keys,
            "third_party": self.third_party_key,
            "capillary": self.capillary_token or self.capillary_username,
        }
        return frozenset(api for api, given in credentials.items() if given)

    @property
    def applications(self) -> tuple[int, ...]:
        """The ids of the Applications with keys; a single key does not reveal its Application."""
        return tuple(sorted(self.integration_keys))

    def url(self, api: Api) -> str:
        """Return the base URL of an API, without a trailing slash."""
        urls = {"third_party": self.third_party_url, "capillary": self.capillary_url}
        return urls.get(api, self.base_url) or ""

    @property
    def thresholds(self) -> dict[str, int]:
        """The configured limits above which a call needs confirmation, by what they count."""
        given = {
            "coupons": self.confirm_coupons_above,
            "points": self.confirm_points_above,
            "cards": self.confirm_cards_above,
            "referrals": self.confirm_referrals_above,
        }
        return {name: limit for name, limit in given.items() if limit is not None}

    @property
    def deployment(self) -> str:
        """The deployment whose sums of impact a call counts towards, whatever its API."""
        return self.base_url or self.capillary_url or ""

    def policy_over(self, built_in: Policy) -> Policy:
        """Return the policy in force, given the built-in one.

        Raises:
            PolicyError: the policy file cannot be used.
        """
        return operators_policy(built_in, self.thresholds, self.policy_file)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in plain text, for redacting output."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        values = (*fields, *self.integration_keys.values())
        return tuple(v.get_secret_value() for v in values if isinstance(v, SecretStr))


SECRETS = frozenset(name for name, field in Settings.model_fields.items() if not field.repr)
ACCOUNT = frozenset(  # settings that the sandbox replaces
    name
    for name in Settings.model_fields
    if name.startswith("capillary_")
    or name in ("base_url", "management_key", "email", "password", "token_cache",
                "integration_key", "integration_keys", "third_party_key", "third_party_url",
                "platform_name")
)  # fmt: skip
