"""An upstream for the tests: an ASGI application on a real socket, every request recorded."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from talonone_mcp.core.settings import SANDBOX_KEY


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it arrived. `path` is still percent-encoded."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Upstream:
    """A running upstream and what has reached it."""

    url: str
    state_dir: str
    requests: list[Recorded] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point the server at it, with the keys that the sandbox knows."""
        return {
            "TALONONE_BASE_URL": self.url,
            "TALONONE_STATE_DIR": self.state_dir,
            "TALONONE_MANAGEMENT_KEY": SANDBOX_KEY,
            "TALONONE_INTEGRATION_KEY": SANDBOX_KEY,
            "TALONONE_THIRD_PARTY_URL": self.url,
            "TALONONE_THIRD_PARTY_KEY": SANDBOX_KEY,
            "TALONONE_PLATFORM_NAME": "a platform",
            "CAPILLARY_BASE_URL": self.url,
            "CAPILLARY_ACCESS_TOKEN": SANDBOX_KEY,
        }

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The method and path of every request that was no read."""
        return [
            (each.method, each.path)
            for each in self.requests
            if each.method != "GET" and "search" not in each.path
        ]


@contextmanager
def serve(app: ASGIApp) -> Iterator[Upstream]:
    """Serve an application on a free port of this machine, from a thread of its own."""
    state = tempfile.TemporaryDirectory()
    upstream = Upstream("", state.name)

    async def recording(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        query = scope["query_string"].decode()
        upstream.requests.append(
            Recorded(
                request.method,
                scope["raw_path"].decode(),
                parse_qsl(query, keep_blank_values=True),
                dict(request.headers),
                body,
            )
        )

        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await app(scope, replay, send)

    config = uvicorn.Config(recording, port=0, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the upstream did not start"
    upstream.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        server.should_exit = True
        thread.join()
        state.cleanup()
