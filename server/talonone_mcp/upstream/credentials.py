"""Which credentials each API takes, and whether they are configured."""

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
    """Return the headers that authorize one operation.

    Args:
        operation: what is to be called.
        settings: the keys.
        token: of the session in the Management API, for an account without a Management key.
        application: whose key of the Integration API to use, if there are several.

    Raises:
        CallError: `not_configured`, if there is no key of that Application.
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


def login_document(settings: Settings) -> Mapping[str, str]:
    """Return the document that opens a session in the Management API.

    Raises:
        CallError: `not_configured`, if there is no e-mail and password.
    """
    if settings.email is None:
        raise CallError(
            "not_configured",
            "A session needs an e-mail and a password, and this server has none.",
            hint="With TALONONE_MANAGEMENT_KEY no session is needed. Otherwise this server's"
            " operator can set TALONONE_EMAIL and TALONONE_PASSWORD (or TALONONE_PASSWORD_FILE) and"
            " restart it.",
        )
    return {"email": settings.email, "password": _plain(settings.password)}


def check(operation: Operation, settings: Settings, application: object = None) -> None:
    """Return if there are credentials for the operation's API.

    Args:
        operation: what is to be called.
        settings: the keys.
        application: the Application that the call names. Unless it is a number it is ignored here;
            the validation refuses it.

    Raises:
        CallError: `not_configured`, naming the variables, or the Applications that have keys.
    """
    if operation.api not in settings.apis:
        api = operation.api.replace("_", "-").capitalize()
        raise CallError(
            "not_configured",
            f"{operation.name} belongs to the {api} API, for which this server has no key.",
            hint=f"This server's operator can set {CREDENTIALS_OF[operation.api]} and restart it."
            " NAME_FILE may name a file with the secret instead.",
        )
    is_number = isinstance(application, int | float) and not isinstance(application, bool)
    if operation.api == "integration" and (application is None or is_number):
        _integration_key(operation, settings, application)


def _integration_key(
    operation: Operation, settings: Settings, application: Any
) -> SecretStr | None:
    """Return the key of an Application; if none is named, the only key there is."""
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
            f"{operation.name} needs the key of one Application, and the call names none. {known}.",
            hint="Call again with the applicationId of one of these.",
        )
    raise CallError(
        "not_configured",
        f"There is no Integration API key for Application {application}. {known}.",
        hint="Call again with the applicationId of one of these. This server's operator can add"
        " the key to TALONONE_INTEGRATION_KEYS and restart it.",
    )


def _third_party(settings: Settings) -> dict[str, str]:
    """Name the calling platform, and the deployment by its host alone, without a scheme."""
    return {
        "customer-engagement-platform-name": settings.platform_name or "",
        "destination-hostname": urlsplit(settings.base_url or "").hostname or "",
    }


def _authorization(scheme: str, key: SecretStr | None) -> dict[str, str]:
    return {"Authorization": f"{scheme} {_plain(key)}"}


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
