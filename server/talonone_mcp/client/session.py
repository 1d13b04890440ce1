"""The session of an account that is known by e-mail and password.

Upstream forbids a new session for each request, so there is one a process: opened at first use,
kept in memory, ended when it is destroyed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from talonone_mcp.client.errors import CallError


class Session:
    """The token of the session, and what it takes to have one."""

    def __init__(self) -> None:
        self._token: str | None = None
        self._opening = anyio.Lock()

    @property
    def token(self) -> str | None:
        """The token, when a session is open."""
        return self._token

    async def opened(self, open_it: Callable[[], Awaitable[object]]) -> str:
        """Return the token; the first of several calls opens the session for all of them.

        Args:
            open_it: sends the request whose answer `keep` is given.

        Raises:
            CallError: the session could not be opened.
        """
        async with self._opening:
            if self._token is None:
                await open_it()
        if self._token is None:
            raise CallError("upstream", "Talon.One opened a session without a token.")
        return self._token

    def keep(self, document: Any) -> Any:
        """Take the token out of upstream's answer, and return the rest: nobody else sees it."""
        if not isinstance(document, dict):
            return document
        token = document.get("token")
        self._token = token if isinstance(token, str) and token else None
        return {key: value for key, value in document.items() if key != "token"}

    def forget(self, token: str | None) -> None:
        """Let go of a session that has ended, unless a newer one has taken its place."""
        if self._token == token:
            self._token = None
