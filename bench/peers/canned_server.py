"""A bare Starlette application that answers from memory what it is given: the sandbox's peer.

    python canned_server.py ANSWERS.json

The file maps a method and a path with its query to status, media type and body. It says its URL on
stdout, as the sandbox does.
"""

import json
import sys
from functools import partial
from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talonone_mcp.core.asgi import serve

ANSWERS = json.loads(Path(sys.argv[1]).read_text("utf-8"))


async def answer(request: Request) -> Response:
    """Read the request and answer what was recorded for it."""
    await request.body()
    query = f"?{request.url.query}" if request.url.query else ""
    status, media_type, body = ANSWERS[f"{request.method} {request.url.path}{query}"]
    return Response(body, status, media_type=media_type)


if __name__ == "__main__":
    methods = ["GET", "POST", "PUT", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", answer, methods=methods)])
    anyio.run(partial(serve, announce=partial(print, flush=True)), app, "127.0.0.1", 0)
