"""What one server is built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from talonone_mcp.calls.caller import LOCAL
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.clock import SYSTEM_CLOCK, Clock
from talonone_mcp.core.settings import Settings
from talonone_mcp.store import Store

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How much one client may ask for, and how long a request may wait for upstream.

    Attributes:
        resources_per_page: resources in one page of `resources/list`.
        items_per_resource: items of a list in one resource.
        list_timeout_s: seconds that `resources/list` waits for upstream.
        embed_timeout_s: seconds that all resources of a prompt may take together.
        embed_chars: characters of a resource that a prompt carries (40,000 are about 13,000
            tokens); a longer resource is only named.
        completion_timeout_s: seconds that a completion waits: a person is typing.
        account_lists: lists of the account that are remembered for a minute.
        watched_uris: resources that one client may watch.
        watchers: handshake-era clients that may watch; the SDK does not say when one is gone.
    """

    resources_per_page: int = 100
    items_per_resource: int = 100
    list_timeout_s: float = 5.0
    embed_timeout_s: float = 5.0
    embed_chars: int = 40_000
    completion_timeout_s: float = 2.0
    account_lists: int = 100
    watched_uris: int = 1000
    watchers: int = 256


DEFAULT_LIMITS = ServerLimits()


@dataclass(frozen=True, slots=True)
class ServerSetup:
    """What one server is built from.

    Attributes:
        settings: the configuration.
        catalog: every operation and workflow that it serves.
        upstream: an application that answers in place of the network, or of the sandbox.
        clock: the time that everything in the server reads and waits by.
        principal: on whose behalf its clients call.
        limits: how much one client may ask for.
        store: keeps what outlives a call; by default, the state directory does.
    """

    settings: Settings
    catalog: Catalog
    upstream: ASGIApp | None = None
    clock: Clock = SYSTEM_CLOCK
    principal: str = LOCAL
    limits: ServerLimits = DEFAULT_LIMITS
    store: Store | None = None
