"""Notifies clients when a call through this server changes a resource that they watch.

A 2026-07-28 client listens on a stream of its own; a handshake-era client subscribes to single
resources and is notified over its session. Calls never wait for watchers: a client that does not
read is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)
from mcp.shared.uri_template import UriTemplate

from talonone_mcp.core.catalog import Operation
from talonone_mcp.server.resources import is_watched
from talonone_mcp.server.resources.account import APPLICATION, CAMPAIGN, CAMPAIGNS, PROGRAM
from talonone_mcp.server.setup import ServerLimits

_NOTIFY_TIMEOUT_S = 30.0  # for a client to take a notification; nobody else waits for it

_IDS = ("applicationId", "campaignId", "loyaltyProgramId")
# In each branch of resources, a call touches the innermost one whose ids it names.
_BRANCHES = tuple(
    tuple(UriTemplate.parse(template) for template in branch)
    for branch in ((CAMPAIGN, APPLICATION), (PROGRAM,))
)
_CAMPAIGN, _CAMPAIGNS = UriTemplate.parse(CAMPAIGN), UriTemplate.parse(CAMPAIGNS)
# Operations that create campaigns, and the field of the answer that holds them.
_CREATED = {"copy_campaign": "data", "create_campaign_from_template": "campaign"}

Context = ServerRequestContext[Any, Any]


class TooManyError(Exception):
    """A client wants to watch more resources than allowed."""


@dataclass(slots=True)
class _Watcher:
    session: ServerSession
    uris: set[str] = field(default_factory=set)


class Subscriptions:
    """Which of this server's clients watch which resources."""

    def __init__(
        self, tasks: TaskGroup, limits: ServerLimits, *, patience: float = _NOTIFY_TIMEOUT_S
    ) -> None:
        """Start without watchers.

        Args:
            tasks: sends notifications, concurrently with the calls that cause them.
            limits: how many resources a client may watch, and how many clients may watch.
            patience: seconds that a client has to take a notification.
        """
        self._limits = limits
        self._tasks = tasks
        self._patience = patience
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._watchers: dict[int, _Watcher] = {}

    async def listen(
        self, ctx: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Serve one stream. Acknowledge only the requested resources that can change.

        Raises:
            TooManyError: the stream asks for more resources than a client may watch.
        """
        asked = params.notifications
        uris = asked.resource_subscriptions or []
        if len(uris) > self._limits.watched_uris:
            raise TooManyError(
                f"At most {self._limits.watched_uris:,} resources can be watched on one stream."
            )
        watched = [uri for uri in uris if is_watched(uri)]
        acknowledged = asked.model_copy(update={"resource_subscriptions": watched})
        return await self._listen(ctx, params.model_copy(update={"notifications": acknowledged}))

    def subscribe(self, ctx: Context, uri: str) -> None:
        """Notify a handshake-era client's session of changes to a resource.

        Raises:
            TooManyError: the client watches as many resources as it may.
        """
        watcher = self._watchers.setdefault(_client(ctx), _Watcher(ctx.session))
        if len(watcher.uris) >= self._limits.watched_uris and uri not in watcher.uris:
            raise TooManyError(f"At most {self._limits.watched_uris:,} resources can be watched.")
        watcher.uris.add(uri)
        if len(self._watchers) > self._limits.watchers:
            del self._watchers[next(iter(self._watchers))]

    def unsubscribe(self, ctx: Context, uri: str) -> None:
        """Stop notifying the client of changes to a resource."""
        watcher = self._watchers.get(_client(ctx))
        if watcher is not None:
            watcher.uris.discard(uri)
            if not watcher.uris:
                del self._watchers[_client(ctx)]

    def announce(self, operation: Operation, arguments: Mapping[str, Any], answer: Any) -> None:
        """Announce what a call changed or may have changed, without waiting for any client.

        Args:
            operation: the operation called: a write, or an export, which adds a resource.
            arguments: the call's arguments.
            answer: upstream's answer; None when there is none.
        """
        if operation.is_export:
            self._tasks.start_soon(self._bus.publish, ResourcesListChanged())
            return
        for uri in dict.fromkeys(touched(operation, arguments, answer)):
            event: ServerEvent = ResourceUpdated(uri)
            self._tasks.start_soon(self._bus.publish, event)
            for client, watcher in self._watchers.items():
                if uri in watcher.uris:
                    self._tasks.start_soon(self._notify, client, watcher, uri)

    async def _notify(self, client: int, watcher: _Watcher, uri: str) -> None:
        delivered = False
        with anyio.move_on_after(self._patience):
            try:
                await watcher.session.send_resource_updated(uri)
                delivered = True
            except Exception:  # whatever a transport raises for a client that is gone
                logging.getLogger(__name__).debug(
                    "client %s was not notified", client, exc_info=True
                )
        if not delivered and self._watchers.get(client) is watcher:
            del self._watchers[client]


def touched(operation: Operation, arguments: Mapping[str, Any], answer: Any) -> Iterator[str]:
    """Yield the URIs of the resources that a write changes, each followed by that of its list.

    The ids among the arguments tell which; for something created, so does the answer.
    """
    if arguments.get("dryRun"):
        return
    if operation.name in _CREATED:
        yield from _created(operation, arguments, answer)
        return
    ids = {name: str(arguments[name]) for name in _IDS if name in arguments}
    if "campaignId" not in ids and "applicationId" not in operation.path_arguments:
        ids.pop("applicationId", None)  # it only chooses the key, or filters
    for branch in _BRANCHES:
        for template in branch:
            if ids.keys() >= {*template.variable_names}:
                uri = template.expand(ids)
                yield from (uri, uri.rpartition("/")[0])
                break


def _created(operation: Operation, arguments: Mapping[str, Any], answer: Any) -> Iterator[str]:
    for application in arguments.get("applicationIds", [arguments["applicationId"]]):
        yield _CAMPAIGNS.expand({"applicationId": str(application)})
    found = answer.get(_CREATED[operation.name], []) if isinstance(answer, dict) else []
    for campaign in found if isinstance(found, list) else [found]:
        if isinstance(campaign, dict) and {"applicationId", "id"} <= campaign.keys():
            ids = {"applicationId": campaign["applicationId"], "campaignId": campaign["id"]}
            yield _CAMPAIGN.expand({name: str(value) for name, value in ids.items()})


def _client(ctx: Context) -> int:
    """Return a client's identity. Its own parameters live as long as its session."""
    return id(ctx.session.client_params or ctx.session)
