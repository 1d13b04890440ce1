"""The configuration: flags, environment variables and a file, validated once at start."""

from talonone_mcp.core.settings.config_file import CONFIG, user_file
from talonone_mcp.core.settings.definitions import (
    CREDENTIALS_OF,
    SANDBOX_KEY,
    SANDBOX_URL,
    SECRETS,
    URL_OF,
    ConfirmPolicy,
    Settings,
    Transport,
)
from talonone_mcp.core.settings.loading import Sources, gather, load_settings, variables, with_state
from talonone_mcp.core.settings.origins import Origin, SettingsError

__all__ = [
    "CONFIG",
    "CREDENTIALS_OF",
    "SANDBOX_KEY",
    "SANDBOX_URL",
    "SECRETS",
    "URL_OF",
    "ConfirmPolicy",
    "Origin",
    "Settings",
    "SettingsError",
    "Sources",
    "Transport",
    "gather",
    "load_settings",
    "user_file",
    "variables",
    "with_state",
]
