"""The session of an account that signs in with an e-mail and a password.

Upstream forbids a new session for each request, so a process has one: opened at first use, kept in
memory (and in a file, if the configuration names one), gone when it is destroyed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread

from talonone_mcp.core.errors import CallError
from talonone_mcp.upstream.token_cache import TokenCache


class LoginSession:
    """Holds the session's token and has a session opened when there is none."""

    def __init__(self, cache: TokenCache | None = None) -> None:
        """Start without a session.

        Args:
            cache: the file that keeps the token for the next process; None for no file.
        """
        self._cache = cache
        self._token: str | None = None
        self._opening = anyio.Lock()
        self._failures = 0
        self._last_failure: CallError | None = None

    @property
    def token(self) -> str | None:
        """The token, while a session is open."""
        return self._token

    async def resume(self) -> None:
        """Take up the session that the file holds, if there is one."""
        if self._cache and self._token is None:
            self._token = await anyio.to_thread.run_sync(self._cache.read)

    async def opened(self, open_it: Callable[[], Awaitable[object]]) -> str:
        """Return the token; the first of several calls opens the session for all of them.

        Calls that waited for an attempt that failed share its error, and none tries again.

        Args:
            open_it: sends the request whose answer goes to `keep`.

        Raises:
            CallError: the session could not be opened.
        """
        failures_before = self._failures
        async with self._opening:
            if self._token is None:
                if self._last_failure and self._failures > failures_before:
                    raise self._last_failure.with_traceback(None)
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
            self._failures, self._last_failure = self._failures + 1, error
            raise

    async def keep(self, document: Any) -> Any:
        """Take the token out of upstream's answer and return the rest: nobody else sees it."""
        if not isinstance(document, dict):
            return document
        token = document.get("token")
        self._token = token if isinstance(token, str) and token else None
        if self._cache and self._token:
            await anyio.to_thread.run_sync(self._cache.write, self._token)
        return {key: value for key, value in document.items() if key != "token"}

    async def forget(self, token: str | None) -> None:
        """Drop a session that has ended, unless a newer one has taken its place."""
        if self._token == token:
            self._token = None
        if self._cache and token:
            with anyio.CancelScope(shield=True):  # the session is over even if we are cancelled
                await anyio.to_thread.run_sync(self._cache.clear, token)
