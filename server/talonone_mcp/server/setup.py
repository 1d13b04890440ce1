"""What a server is built from: its configuration, its limits and its replaceable parts."""

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
        resources_per_page: the page size of `resources/list`.
        items_per_resource: items of a list that one resource holds.
        list_timeout_s: seconds that `resources/list` waits for upstream.
        embed_timeout_s: seconds that all resources attached to a prompt may take together.
        embed_chars: characters of the longest resource that a prompt attaches (40,000 are about
            13,000 tokens); a longer one is only named.
        completion_timeout_s: seconds that a completion waits while a user types.
        account_lists: lists of the account that are cached for a minute.
        watched_uris: resources that one client may watch.
        watchers: handshake-era clients that may watch. The SDK does not report when one leaves.
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
    """What a server is built from.

    Attributes:
        settings: the configuration.
        catalog: every operation and workflow that the server offers.
        upstream: an ASGI application to call instead of the network or the sandbox.
        clock: the clock that the whole server reads and waits by.
        principal: on whose behalf its clients call.
        limits: how much one client may ask for.
        store: keeps what outlives a call. Default: the state directory.
    """

    settings: Settings
    catalog: Catalog
    upstream: ASGIApp | None = None
    clock: Clock = SYSTEM_CLOCK
    principal: str = LOCAL
    limits: ServerLimits = DEFAULT_LIMITS
    store: Store | None = None
