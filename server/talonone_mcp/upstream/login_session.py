"""The session of an account that is known by e-mail and password.

Upstream forbids a new session for each request, so there is one a process: opened at first use,
kept in memory (and in a file, where that is asked for), ended when it is destroyed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread

from talonone_mcp.core.errors import CallError
from talonone_mcp.upstream.token_cache import TokenCache


class Session:
    """The token of the session, and what it takes to have one."""

    def __init__(self, cache: TokenCache | None = None) -> None:
        """Start without a session.

        Args:
            cache: the file that keeps the token for the next process; None for none.
        """
        self._cache = cache
        self._token: str | None = None
        self._opening = anyio.Lock()
        self._failed = 0  # openings that failed
        self._failure: CallError | None = None

    @property
    def token(self) -> str | None:
        """The token, when a session is open."""
        return self._token

    async def resume(self) -> None:
        """Take up the session that the file holds, if there is one."""
        if self._cache and self._token is None:
            self._token = await anyio.to_thread.run_sync(self._cache.read)

    async def opened(self, open_it: Callable[[], Awaitable[object]]) -> str:
        """Return the token; the first of several calls opens the session for all of them.

        Calls that waited for an opening that failed share its failure: none tries again.

        Args:
            open_it: sends the request whose answer `keep` is given.

        Raises:
            CallError: the session could not be opened.
        """
        failed_before = self._failed
        async with self._opening:
            if self._token is None:
                if self._failure and self._failed > failed_before:
                    raise self._failure.with_traceback(None)
                await self.resume()  # another process may have opened one since
            if self._token is None:
                await self._open(open_it)
            return self._token or ""

    async def _open(self, open_it: Callable[[], Awaitable[object]]) -> None:
        try:
            await open_it()
            if self._token is None:
                raise CallError("upstream", "Talon.One opened a session without a token.")
        except CallError as error:
            self._failed, self._failure = self._failed + 1, error
            raise

    async def keep(self, document: Any) -> Any:
        """Take the token out of upstream's answer, and return the rest: nobody else sees it."""
        if not isinstance(document, dict):
            return document
        token = document.get("token")
        self._token = token if isinstance(token, str) and token else None
        if self._cache and self._token:
            await anyio.to_thread.run_sync(self._cache.write, self._token)
        return {key: value for key, value in document.items() if key != "token"}

    async def forget(self, token: str | None) -> None:
        """Let go of a session that has ended, unless a newer one has taken its place."""
        if self._token == token:
            self._token = None
        if self._cache and token:
            with anyio.CancelScope(shield=True):  # the session is over whether or not we are
                await anyio.to_thread.run_sync(self._cache.clear, token)
