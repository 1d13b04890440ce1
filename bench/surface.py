"""What a model pays, and whether it finds the right operation.

    .venv/bin/python -m bench.surface
    .venv/bin/python -m bench.surface --fastmcp PYTHON --documents FOLDER

Tokens are o200k_base over the JSON as the server sends it. The answers are those of the sandbox's
demo account, against the JSON that upstream would have sent. The questions are those of
`questions.yaml`. With `--fastmcp`, the definitions that fastmcp's OpenAPI server makes of the
reference documents in FOLDER are counted too, with the Python of an environment that has fastmcp.
Exit status 1 when a limit does not hold.
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

from bench.tokens import tokens
from talonone_mcp import catalog as catalogs
from talonone_mcp.app import INSTRUCTIONS, build_server
from talonone_mcp.request import build
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.search import Search
from talonone_mcp.settings import SANDBOX_KEY, load_settings
from talonone_mcp.surface import surface

QUESTIONS = Path(__file__).with_name("questions.yaml")
FASTMCP = Path(__file__).parent / "peers" / "openapi_server.py"
DEFINITIONS = {"default": 4_000, "all": 47_000, "instructions": 250}
OF_A_PROFILE = 5_000
OF_UPSTREAM = 0.25  # of the tokens of upstream's answer
RECALL = {1: 0.75, 5: 0.95}
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


def measure_definitions() -> bool:
    """Print what each surface costs, and tell whether all are within their limits."""
    rows = [("instructions", tokens(INSTRUCTIONS), 0, DEFINITIONS["instructions"])]
    for name in (*CATALOG.profiles, "all"):
        flags = {"toolsets": ("all",)} if name == "all" else {"profile": name}
        tools = definitions(**flags)
        limit = DEFINITIONS.get(name, OF_A_PROFILE)
        rows.append((name, tokens({"tools": tools}), len(tools), limit))
    print("definitions               tools   tokens    limit")
    for name, count, tools_, limit in rows:
        print(f"  {name:22}{tools_ or '':7}{count:9,}{limit:9,}")
    return all(count <= limit for _, count, _, limit in rows)


def measure_fastmcp(python: str, documents: Path) -> None:
    """Print what fastmcp's OpenAPI server lists for the reference documents."""
    total = count = 0
    for path in sorted(documents.glob("reference-*-api.json")):
        run = subprocess.run(
            [python, str(FASTMCP), str(path)], capture_output=True, text=True, check=True
        )
        tools = json.loads(run.stdout)
        total += sum(map(tokens, tools))  # each by itself: the counter takes no text that long
        count += len(tools)
    print(f"  {'fastmcp, from OpenAPI':22}{count:7}{total:9,}")


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


def measure_answers() -> bool:
    """Print both sizes of each answer, and tell whether ours is small enough."""
    print("answers, on the sandbox's data          upstream    shown  of it")
    holds = True
    for name, upstream, shown in anyio.run(answers):
        holds &= shown <= upstream * OF_UPSTREAM
        print(f"  {name:36}{upstream:10,}{shown:9,}{shown / upstream:7.2f}")
    return holds


def best_of(times: int, work_: Callable[[], object]) -> float:
    """Return the milliseconds of the fastest of several runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work_()
        took.append((time.perf_counter() - began) * 1000)
    return min(took)


def measure_search() -> bool:
    """Print how often the right operation is found, and how long that takes."""
    questions = yaml.safe_load(QUESTIONS.read_text("utf-8"))
    search = Search(CATALOG)
    index = best_of(5, lambda: Search(CATALOG))
    times, ranks = [], []
    for question in questions:
        began = time.perf_counter()
        found = [each.name for each in search.find(question["ask"], 5)]
        times.append((time.perf_counter() - began) * 1000)
        ranks.append(next((n for n, name in enumerate(found, 1) if name in question["answer"]), 99))
    recall = {at: sum(rank <= at for rank in ranks) / len(ranks) for at in RECALL}
    print(f"search, {len(questions)} questions")
    print("  " + ", ".join(f"recall at {at}: {each:.1%}" for at, each in recall.items()))
    print(
        f"  a search {median(times):.2f} ms, the slowest {max(times):.2f}; the index {index:.0f} ms"
    )
    quick = max(times) <= SEARCH_MS and index <= INDEX_MS
    return quick and all(recall[at] >= least for at, least in RECALL.items())


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fastmcp", metavar="PYTHON", help="of an environment with fastmcp")
    parser.add_argument("--documents", type=Path, metavar="FOLDER", help="with reference-*.json")
    options = parser.parse_args()
    if bool(options.fastmcp) != bool(options.documents):
        parser.error("--fastmcp and --documents go together")
    holds = measure_definitions()
    if options.fastmcp:
        measure_fastmcp(options.fastmcp, options.documents)
    holds = measure_answers() and holds
    holds = measure_search() and holds
    print("every limit holds" if holds else "A LIMIT DOES NOT HOLD")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
