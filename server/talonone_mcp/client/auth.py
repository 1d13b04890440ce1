"""Which header opens which API."""

from talonone_mcp.catalog import Operation
from talonone_mcp.client.errors import CallError
from talonone_mcp.settings import KEY_OF, Settings

# https://docs.talon.one: the scheme names the kind of key
_SCHEME = {"management": "ManagementKey-v1", "integration": "ApiKey-v1"}


def headers(operation: Operation, settings: Settings) -> dict[str, str]:
    """Return the authentication headers of one operation.

    Raises:
        CallError: `not_configured`, naming the variable, when there is no key for its API.
    """
    key = settings.key(operation.api)
    if key is None:
        variable = KEY_OF[operation.api]
        raise CallError(
            "not_configured",
            f"{operation.name} belongs to the {operation.api.title()} API, which has no key here.",
            hint=f"Set {variable} (or {variable}_FILE) and start the server again.",
        )
    return {"Authorization": f"{_SCHEME[operation.api]} {key.get_secret_value()}"}
