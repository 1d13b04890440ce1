"""The peer of the start-up benchmark: a low-level `mcp` server with one tool and nothing else."""

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

TOOL = types.Tool(name="ping", input_schema={"type": "object", "additionalProperties": False})


async def list_tools(_: object, __: object) -> types.ListToolsResult:
    """Return the one tool."""
    return types.ListToolsResult(tools=[TOOL])


async def call_tool(_: object, __: object) -> types.CallToolResult:
    """Answer every call alike."""
    return types.CallToolResult(content=[types.TextContent(text="pong")])


async def main() -> None:
    """Serve over stdio until stdin ends."""
    server = Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


anyio.run(main)
