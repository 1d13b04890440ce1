"""What a model pays, and whether it finds the right operation.

    python -m bench.surface
    python -m bench.surface --fastmcp PYTHON --documents FOLDER

Tokens are o200k_base over the JSON as the server sends it. The answers are those of the sandbox's
demo account, against the JSON that upstream would have sent. The questions are those of
`questions.yaml`, which the search is tuned on, and of `held_out_questions.yaml`, which it is not.
With `--fastmcp`, the definitions that fastmcp's OpenAPI server makes of the
reference documents in FOLDER are counted too, with the Python of an environment that has fastmcp.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import httpx
import yaml
from mcp import Client

from bench.rows import Found, Row, Skipped, alone, at_least, at_most
from bench.tokens import tokens
from talonone_mcp.calls.request import build
from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.settings import SANDBOX_KEY, load_settings
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.server.app import INSTRUCTIONS, build_server
from talonone_mcp.surface.search import Search
from talonone_mcp.surface.tool_list import surface

QUESTIONS = Path(__file__).with_name("questions.yaml")
HELD_OUT_QUESTIONS = Path(__file__).with_name("held_out_questions.yaml")
FASTMCP = Path(__file__).parent / "peers" / "openapi_server.py"
DEFINITIONS = {"default": 4_000, "all": 47_000, "instructions": 250}
OF_A_PROFILE = 5_000
OF_UPSTREAM = 0.25  # of the tokens of upstream's answer
RECALL = {1: 0.75, 5: 0.95}
HELD_OUT_RECALL = {1: 0.63, 5: 0.90}  # what the first measurement found, before any change
SEARCH_MS, INDEX_MS = 3.0, 40.0
ANSWERS: Mapping[str, dict[str, Any]] = {
    "list_campaigns": {"applicationId": 42},
    "list_coupons": {"applicationId": 42, "campaignId": 18},
    "get_customer_inventory": {
        "integrationId": "anna.schmidt", "profile": True, "coupons": True, "referrals": True,
        "loyalty": True, "giveaways": True, "achievements": True,
    },
    "list_application_sessions": {"applicationId": 42, "pageSize": 50},
    "list_audit_logs": {},
}  # fmt: skip
CATALOG = catalogs.load()
KEYS = {
    "management": f"ManagementKey-v1 {SANDBOX_KEY}",
    "integration": f"ApiKey-v1 {SANDBOX_KEY}",
}


def definitions(**flags: Any) -> list[dict[str, Any]]:
    """Return the tools that a sandbox with these flags lists."""
    settings = load_settings({"sandbox": True} | flags, {})
    tools = surface(CATALOG, settings).tools
    return [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]


def measure_definitions() -> list[Found]:
    """Return what each surface costs."""
    found: list[Found] = [
        Row("instructions", tokens(INSTRUCTIONS), "tokens",
            budget=at_most(DEFINITIONS["instructions"]))
    ]  # fmt: skip
    for name in (*CATALOG.profiles, "all"):
        flags = {"toolsets": ("all",)} if name == "all" else {"profile": name}
        tools = definitions(**flags)
        budget = at_most(DEFINITIONS.get(name, OF_A_PROFILE))
        count = tokens({"tools": tools})
        found.append(Row(f"{name}, {len(tools)} tools listed", count, "tokens", budget=budget))
    return found


def measure_fastmcp(python: str | None, documents: Path | None) -> Found:
    """Return what all tools cost beside those that fastmcp's OpenAPI server lists."""
    name = "all, beside what fastmcp makes of the OpenAPI documents"
    if not python or not documents:
        return Skipped(name, "--fastmcp and --documents were not given")
    total = count = 0
    for path in sorted(documents.glob("reference-*-api.json")):
        run = subprocess.run(
            [python, str(FASTMCP), str(path)], capture_output=True, text=True, check=False
        )
        if run.returncode != 0:
            return Skipped(name, f"fastmcp failed: {run.stderr.strip().splitlines()[-1]}")
        tools = json.loads(run.stdout)
        total += sum(map(tokens, tools))  # each by itself: the counter takes no text that long
        count += len(tools)
    ours = tokens({"tools": definitions(toolsets=("all",))})
    return Row(name, ours, "tokens", f"fastmcp, {count} tools", total)


async def answers() -> list[tuple[str, int, int]]:
    """Return, for each read, its tokens as upstream answers and as a model is shown it."""
    found = []
    with (
        tempfile.TemporaryDirectory() as state,
        closing(Sandbox(CATALOG, limited=False)) as sandbox,
    ):
        transport = httpx.ASGITransport(sandbox)
        settings = load_settings({"sandbox": True}, {"TALONONE_STATE_DIR": state})
        server = build_server(settings, CATALOG, sandbox)
        async with (
            httpx.AsyncClient(transport=transport, base_url="https://sandbox.invalid") as http,
            Client(server) as client,
        ):
            await work(http)
            for name, arguments in ANSWERS.items():
                operation = CATALOG.operations[name]
                request = build(operation, arguments)
                headers = {"Authorization": KEYS[operation.api]}
                raw = await http.get(f"{request.path}?{request.query}", headers=headers)
                shown = await client.call_tool(name, arguments | {"maxTokens": 100_000})
                found.append((name, tokens(raw.json()), tokens(shown.structured_content)))
    return found


async def work(http: httpx.AsyncClient) -> None:
    """Change campaigns as a marketer does, so that the audit log has a day's entries."""
    headers = {"Authorization": KEYS["management"]}
    for number in (18, 19, 20, 23):
        path = f"/v1/applications/42/campaigns/{number}"
        campaign = (await http.get(path, headers=headers)).json()
        kept = ("name", "tags", "limits", "features", "state", "startTime", "activeRulesetId")
        for text in ("Agreed with sales", "Agreed with sales and legal", "Final"):
            body = {key: campaign[key] for key in kept} | {"description": text}
            (await http.put(path, headers=headers, json=body)).raise_for_status()


def measure_answers() -> list[Found]:
    """Return both sizes of each answer."""
    budget = at_most(OF_UPSTREAM, "ratio")
    return [
        Row(name, shown, "tokens", "upstream's JSON", upstream, budget)
        for name, upstream, shown in anyio.run(answers)
    ]


def best_of(times: int, work_: Callable[[], object]) -> float:
    """Return the milliseconds of the fastest of several runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work_()
        took.append((time.perf_counter() - began) * 1000)
    return min(took)


def measure_recall(
    search: Search, path: Path, kind: str, least: Mapping[int, float]
) -> tuple[list[Found], list[float]]:
    """Return how often the questions of a file find an answer, and each search's milliseconds."""
    times, ranks = [], []
    for question in yaml.safe_load(path.read_text("utf-8")):
        began = time.perf_counter()
        found = [each.name for each in search.find(question["ask"], 5)]
        times.append((time.perf_counter() - began) * 1000)
        ranks.append(next((n for n, name in enumerate(found, 1) if name in question["answer"]), 99))
    asked = f"of {len(ranks)} {kind} questions, answered among the first"
    found_rows: list[Found] = [
        Row(f"{asked} {at}", sum(rank <= at for rank in ranks) / len(ranks), "of 1",
            budget=at_least(share))
        for at, share in least.items()
    ]  # fmt: skip
    return found_rows, times


def measure_search() -> list[Found]:
    """Return how often the right operation is found, and how long that takes."""
    search = Search(CATALOG)
    index = best_of(5, lambda: Search(CATALOG))
    tuned, times = measure_recall(search, QUESTIONS, "tuned", RECALL)
    held_out, _ = measure_recall(search, HELD_OUT_QUESTIONS, "held-out", HELD_OUT_RECALL)
    return [
        *tuned,
        *held_out,
        Row("a search, the median", median(times), "ms"),
        Row("a search, the slowest", max(times), "ms", budget=at_most(SEARCH_MS)),
        Row("the search index is built", index, "ms", budget=at_most(INDEX_MS)),
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--fastmcp", metavar="PYTHON", help="of an environment with fastmcp")
    parser.add_argument("--documents", type=Path, metavar="FOLDER", help="with reference-*.json")


def rows(options: argparse.Namespace) -> list[Found]:
    """Measure what is listed, what is answered and what is found."""
    return [
        *measure_definitions(),
        measure_fastmcp(options.fastmcp, options.documents),
        *([] if options.quick else measure_answers()),
        *([] if options.quick else measure_search()),
    ]


if __name__ == "__main__":
    sys.exit(alone(__doc__, rows, add_options))
