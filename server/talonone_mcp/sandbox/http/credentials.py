"""Who may call what: the sandbox's keys, and its users' sessions."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.sandbox.documents.document_store import DocumentStore
from talonone_mcp.sandbox.ground.account_facts import SHOP, SHOP_US, USER_ID
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import stamp

# An Integration key belongs to one Application: https://docs.talon.one/integration-api
INTEGRATION_KEYS: Mapping[str, int] = {SANDBOX_KEY: SHOP, f"{SANDBOX_KEY}-{SHOP_US}": SHOP_US}
_CAPILLARY = (
    f"Bearer {SANDBOX_KEY}",
    f"Basic {b64encode(f'sandbox:{SANDBOX_KEY}'.encode()).decode()}",
)
_PUBLIC = ("create_session", "request_password_reset", "reset_password")
_PLATFORM, _HOST = "customer-engagement-platform-name", "destination-hostname"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who makes a request, and for which Application."""

    application_id: int | None = None
    user_id: int = USER_ID
    token: str | None = None


def credentials_of(
    request: Request, operation: Operation, store: DocumentStore, now: datetime
) -> Credentials:
    """Return who makes a request.

    Raises:
        RefusalError: 401, when no key or token of the operation's API is given; 400, when the
            Third-party API is not told which platform calls which deployment.
    """
    given = request.headers.get("authorization", "")
    scheme, _, secret = given.partition(" ")
    if operation.name in _PUBLIC:
        return Credentials()
    if operation.api == "management":
        if given == f"ManagementKey-v1 {SANDBOX_KEY}":
            return Credentials()
        login = store.find("logins", secret) if scheme == "Bearer" else None
        if login and login["expires"] > stamp(now):
            return Credentials(user_id=login["userId"], token=secret)
    elif operation.api == "capillary":
        if given in _CAPILLARY:
            return Credentials()
    elif scheme == "ApiKey-v1" and secret in INTEGRATION_KEYS:
        if operation.api == "third_party":
            _check_platform(request)
        return Credentials(application_id=INTEGRATION_KEYS[secret])
    raise RefusalError(401, "the API key or token is not valid")


def _check_platform(request: Request) -> None:
    for header in (_PLATFORM, _HOST):
        if not request.headers.get(header):
            raise RefusalError(400, f"the header {header} is missing")
