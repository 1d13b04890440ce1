"""Prints the tools that fastmcp's OpenAPI server makes of a document, as JSON: the surface's peer.

It runs in an environment of its own, which has fastmcp.
"""

import asyncio
import json
import sys
from pathlib import Path

import httpx2
from fastmcp import FastMCP  # type: ignore[import-not-found]


async def main(document: dict[str, object]) -> None:
    """Print what `tools/list` would hold."""
    async with httpx2.AsyncClient(base_url="https://example.invalid") as client:
        server = FastMCP.from_openapi(openapi_spec=document, client=client)
        tools = await server.list_tools()
    print(json.dumps([t.to_mcp_tool().model_dump(by_alias=True, exclude_none=True) for t in tools]))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
