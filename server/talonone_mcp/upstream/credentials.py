"""Which headers open which API."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.settings import CREDENTIALS_OF, Settings


def headers(
    operation: Operation,
    settings: Settings,
    token: str | None = None,
    application: int | None = None,
) -> dict[str, str]:
    """Return the headers with which one operation is allowed upstream.

    Args:
        operation: what is to be called.
        settings: the keys.
        token: of the session in the Management API, for an account without a Management key.
        application: whose key to use in the Integration API, where there are several.

    Raises:
        CallError: `not_configured`, when there is no key of that Application.
    """
    if operation.api == "management":
        if settings.management_key and not token:
            return _authorization("ManagementKey-v1", settings.management_key)
        return {"Authorization": f"Bearer {token}"} if token else {}
    if operation.api == "integration":
        return _authorization("ApiKey-v1", _integration_key(operation, settings, application))
    if operation.api == "third_party":
        return _authorization("ApiKey-v1", settings.third_party_key) | _third_party(settings)
    if settings.capillary_token:
        return _authorization("Bearer", settings.capillary_token)
    pair = f"{settings.capillary_username}:{_plain(settings.capillary_password)}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def credentials(settings: Settings) -> Mapping[str, str]:
    """Return the document that opens a session in the Management API.

    Raises:
        CallError: `not_configured`, when there is no e-mail and password.
    """
    if settings.email is None:
        raise CallError(
            "not_configured",
            "A session is opened with an e-mail and a password, and there are none here.",
            hint="Set TALONONE_EMAIL and TALONONE_PASSWORD (or TALONONE_PASSWORD_FILE) and start"
            " the server again. With TALONONE_MANAGEMENT_KEY no session is needed.",
        )
    return {"email": settings.email, "password": _plain(settings.password)}


def check(operation: Operation, settings: Settings, application: object = None) -> None:
    """Return when there are credentials for the operation's API.

    Args:
        operation: what is to be called.
        settings: the keys.
        application: the Application that the call names. One that is no number is not looked at:
            that is for the validation.

    Raises:
        CallError: `not_configured`, naming the variables, or the Applications that have keys.
    """
    if operation.api not in settings.apis:
        api = operation.api.replace("_", "-").capitalize()
        raise CallError(
            "not_configured",
            f"{operation.name} belongs to the {api} API, which has no key here.",
            hint=f"Set {CREDENTIALS_OF[operation.api]} and start the server again."
            " A secret may also stand in a file that NAME_FILE names.",
        )
    is_number = isinstance(application, int | float) and not isinstance(application, bool)
    if operation.api == "integration" and (application is None or is_number):
        _integration_key(operation, settings, application)


def _integration_key(
    operation: Operation, settings: Settings, application: Any
) -> SecretStr | None:
    """Return the key of an Application; the only one that there is, where none is named."""
    keys = settings.integration_keys
    if not keys:
        return settings.integration_key
    if application is None and len(keys) == 1:
        return next(iter(keys.values()))
    if application in keys:
        return keys[int(application)]
    known = f"There are keys for {', '.join(map(str, settings.applications))}"
    if application is None:
        raise CallError(
            "not_configured",
            f"{operation.name} works with the key of one Application, and none was named. {known}.",
            hint="Call again with the applicationId of one of these.",
        )
    raise CallError(
        "not_configured",
        f"There is no Integration API key for Application {application}. {known}.",
        hint="Give the applicationId of one of these, or have the key added to"
        " TALONONE_INTEGRATION_KEYS and the server started again.",
    )


def _third_party(settings: Settings) -> dict[str, str]:
    """Say in whose name, and about which deployment: its host alone, without a scheme."""
    return {
        "customer-engagement-platform-name": settings.platform_name or "",
        "destination-hostname": urlsplit(settings.base_url or "").hostname or "",
    }


def _authorization(scheme: str, key: SecretStr | None) -> dict[str, str]:
    return {"Authorization": f"{scheme} {_plain(key)}"}


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
