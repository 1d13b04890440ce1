"""Explores upstream: every API, then every toolset that can be tried."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import anyio

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.catalog.model import Api
from talonone_mcp.core.settings import Settings
from talonone_mcp.terminal.doctor import probes
from talonone_mcp.terminal.doctor.probe_runs import Attempt, Clocks, Explorer, Reached
from talonone_mcp.upstream.connection import open_upstream

# For a request, and for a call with all its attempts: whoever looks for a fault does not want to
# wait for as long as an agent would.
_TIMEOUT_S = 8.0
_ORDER: tuple[Api, ...] = ("management", "integration", "third_party", "capillary")
# The API whose keys can be limited to some endpoints. Source: docs.talon.one, on managing its keys.
_LIMITED: Api = "management"


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found out about each API, each host's clock and each toolset.

    `ahead` is by how many seconds this clock is ahead, by host.
    """

    reached: tuple[Reached, ...]
    ahead: Mapping[str, float]
    toolsets: Mapping[str, tuple[Attempt, ...]]


async def explore(settings: Settings, catalog: Catalog, app: object = None) -> Exploration:
    """Try everything that is configured, with nothing but reads.

    Args:
        settings: the configuration.
        catalog: every operation, as the server has them.
        app: an ASGI application that answers instead of the network.

    Raises:
        CallError: the configured certificates or proxy make requests impossible.
    """
    settings = settings.model_copy(
        update={
            "timeout": min(settings.timeout, _TIMEOUT_S),
            "deadline": min(settings.deadline, _TIMEOUT_S),
        }
    )
    clocks = Clocks()
    login = catalog.operations["create_session"]
    async with open_upstream(settings, login, app, on_response=clocks.hear) as client:
        explorer = Explorer(client, catalog)
        reached = await _apis(settings, explorer)
        answered = ("allowed", "refused")
        usable = {each.api for each in reached if each.attempt.outcome in answered}
        toolsets = await _toolsets(catalog, explorer, usable)
    return Exploration(reached, clocks.ahead, toolsets)


async def _apis(settings: Settings, explorer: Explorer) -> tuple[Reached, ...]:
    """Reach each API with each of its keys, concurrently."""
    found: dict[tuple[Api, int | None], Reached | None] = {}

    async def reach(api: Api, application: int | None) -> None:
        # Another login with a password that was refused could lock the account.
        again = api == "management" and settings.management_key is not None
        found[api, application] = await explorer.reach(api, application, again=again)

    async with anyio.create_task_group() as tasks:
        for api in _ORDER:
            if api in settings.apis:
                known = settings.applications if api == "integration" else ()
                for application in known or (None,):
                    found[api, application] = None
                    tasks.start_soon(reach, api, application)
    return tuple(each for each in found.values() if each)


async def _toolsets(
    catalog: Catalog, explorer: Explorer, usable: Collection[Api]
) -> Mapping[str, tuple[Attempt, ...]]:
    """Try each toolset of the Management API concurrently: its keys are limited to endpoints."""
    if _LIMITED not in usable:
        return {}
    tried: dict[str, tuple[Attempt, ...]] = {}

    async def look(toolset: str) -> None:
        tried[toolset] = await explorer.toolset(probes.probes(catalog, toolset, _LIMITED))

    async with anyio.create_task_group() as tasks:
        for operation in catalog.operations.values():
            if operation.api == _LIMITED and operation.toolset not in tried:
                tried[operation.toolset] = ()
                tasks.start_soon(look, operation.toolset)
    return tried
