"""What the definitions cost a model: tokens of `tools/list`, by toolset and by tool.

    python -m bench.tokens [--tools]

Counted with o200k_base over the JSON as the server sends it. Deterministic: the same definitions
always give the same table. Tests hold the same budgets.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import anyio
import bpe_openai
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from bench.rows import Found, Row, alone, at_most
from talonone_mcp.core import catalog

ALL = 47_000  # tokens for all operations together, 200 each; workflows come on top
ONE = 1_200  # tokens for one operation
LARGE = {  # those whose arguments are a document
    "update_customer_session": 2_500,
    "sync_catalog": 2_500,
    "update_campaign": 2_500,
    "track_event": 2_500,
    "track_advanced_event": 2_500,
}
_encoding = bpe_openai.get_encoding("o200k_base")


def tokens(value: object) -> int:
    """Count the tokens of a value written as compact JSON."""
    return len(_encoding.encode(json.dumps(value, ensure_ascii=False, separators=(",", ":"))))


def exceeded(tools: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each budget that the definitions of all tools exceed."""
    listed = list(tools)
    lines = []
    workflows = catalog.load().workflows
    operations = [tool for tool in listed if tool["name"] not in workflows]
    if (whole := tokens({"tools": operations})) > ALL:
        lines.append(f"all operations: {whole:,} tokens, at most {ALL:,}")
    for tool in listed:
        if (count := tokens(tool)) > (limit := LARGE.get(tool["name"], ONE)):
            lines.append(f"{tool['name']}: {count:,} tokens, at most {limit:,}")
    return lines


async def listed() -> list[dict[str, Any]]:
    """Start the server as a host does and return what it lists."""
    command = [sys.executable, "-m", "talonone_mcp", "serve", "--sandbox", "--toolsets", "all"]
    server = StdioServerParameters(command=command[0], args=command[1:])
    async with Client(stdio_client(server)) as client:
        tools = (await client.list_tools()).tools
    return [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--tools", action="store_true", help="a line for every tool")


def rows(options: argparse.Namespace) -> list[Found]:
    """Return what each toolset costs, and what all of them do."""
    tools = anyio.run(listed)
    counts = {tool["name"]: tokens(tool) for tool in tools}
    toolsets: dict[str, list[str]] = defaultdict(list)
    for operation in catalog.load().tools:
        if operation.name in counts:
            toolsets[operation.toolset].append(operation.name)
    found: list[Found] = []
    for toolset, names in toolsets.items():
        total = sum(counts[name] for name in names)
        found.append(Row(f"{toolset}, {len(names)} tools", total, "tokens"))
        for name in sorted(names, key=lambda n: -counts[n]) if options.tools else ():
            budget = at_most(LARGE.get(name, ONE))
            found.append(Row(f"  {name}", counts[name], "tokens", budget=budget))
    over = len(exceeded(tools))
    return [
        *found,
        Row(f"all {len(tools)} tools", tokens({"tools": tools}), "tokens", budget=at_most(ALL)),
        Row("budgets that are exceeded", over, "", budget=at_most(0)),
    ]


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
