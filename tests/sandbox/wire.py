"""Sends requests into the sandbox's application directly: thousands of them in a second."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from starlette.types import Message

from talonone_mcp.sandbox.app import Sandbox


class Wire:
    """A client of one sandbox for code that waits for nothing."""

    def __init__(self, sandbox: Sandbox, runner: asyncio.Runner) -> None:
        self._sandbox = sandbox
        self._runner = runner

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: Any = None,
        **query: Any,
    ) -> tuple[int, Any]:
        """Send a request and return the status and the body: JSON, or text, or None."""
        content = b"" if body is None else json.dumps(body).encode()
        sent: list[Message] = []
        waiting = [{"type": "http.request", "body": content, "more_body": False}]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": urlencode(query).encode(),
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in {"content-type": "application/json", **headers}.items()
            ],
        }

        async def receive() -> Message:
            return waiting.pop() if waiting else await asyncio.Future()

        async def respond(message: Message) -> None:
            sent.append(message)

        self._runner.run(self._sandbox(scope, receive, respond))
        start = sent[0]
        text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
        kind = dict(start["headers"]).get(b"content-type", b"")
        if not text:
            return start["status"], None
        return start["status"], json.loads(text) if b"json" in kind else text
