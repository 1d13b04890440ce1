"""`talonone-mcp demo`: a minute in the life of a host, played on the sandbox.

The server runs as a child process over stdio, so the demo shows what a host gets. Nothing leaves
this machine.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp import Client, StdioServerParameters, types
from mcp.client.stdio import stdio_client

from talonone_mcp.core.state_folder import STATE_DIR
from talonone_mcp.store.audit import verify
from talonone_mcp.store.audit.log_files import LOG
from talonone_mcp.terminal.demo_stage import LINE_CHARS, Human, Stage
from talonone_mcp.terminal.hosts.known_hosts import HOSTS
from talonone_mcp.terminal.printing import console

# The sandbox's account is the same at every start.
CUSTOMER = "anna.schmidt"
USED_CODE = "SUMMER-8V3B-OL9L"
SHOP = 42
SUMMER = {"applicationId": SHOP, "campaignId": 18}
_STORY = [  # what the audit log holds in the end
    ("issue_coupon", "done"),
    ("set_up_campaign", "done"),
    ("delete_campaign", "declined"),
    ("delete_campaign", "done"),
]


class StepFailedError(Exception):
    """A step of the demo did not show what it should."""


def run_demo() -> int:
    """Run the demo and return its exit status: 0 if every step held, otherwise 1."""
    stage = Stage(console(sys.stdout))
    failure = anyio.run(_demo, stage)
    if failure:
        print(f"\nThis step failed: {failure}", file=sys.stderr)
        return 1
    _tell_what_next(stage)
    return 0


async def _demo(stage: Stage) -> str | None:
    """Start the server, play, and return what failed."""
    command = [sys.executable, "-m", "talonone_mcp", "serve", "--sandbox"]
    stage.to.print("An MCP host, this server, and a Talon.One in a box. No account, no network.")
    stage.to.print(f"$ talonone-mcp {' '.join(command[3:])}", style="dim")
    human = Human(stage)
    with TemporaryDirectory() as state:  # keeps the demo out of the user's audit log
        server = StdioServerParameters(command=command[0], args=command[1:], env={STATE_DIR: state})
        async with Client(stdio_client(server), elicitation_callback=human.answer) as client:
            failure = await failure_of(client, human, Path(state))
    return failure


async def failure_of(client: Client, human: Human, state: Path) -> str | None:
    """Play, look at what was recorded, and return what failed.

    Args:
        client: a connected client.
        human: who answers its questions.
        state: the server's state directory, where its audit log is.
    """
    try:
        await _play(client, human)
        _check_log(human.stage, state)
    except StepFailedError as failed:
        return str(failed)
    return None


async def _play(client: Client, human: Human) -> None:
    tools = (await client.list_tools()).tools
    said = f"connected over stdio, MCP {client.protocol_version}; the model sees {len(tools)} tools"
    human.stage.says("host", said)
    await _explain_refusal(client, human.stage)
    await _issue_another(client, human.stage)
    await _set_up_campaign(client, human)
    await _decline_deletion(client, human)
    await _accept_deletion(client, human)


async def _explain_refusal(client: Client, stage: Stage) -> None:
    stage.title(f"A customer writes: why is my code {USED_CODE} refused?")
    checked = await _call(client, stage, "check_coupon", code=USED_CODE, customer=CUSTOMER)
    _require(checked["reasons"] == ["used_up"], f"{USED_CODE} is not used up: {checked}")
    stage.says("server", f"{checked['verdict']}: {checked['summary']}")


async def _issue_another(client: Client, stage: Stage) -> None:
    stage.title("So she gets one of another campaign")
    issued = await _call(
        client,
        stage,
        "issue_coupon",
        applicationId=SHOP,
        campaign="Welcome back",
        customer=CUSTOMER,
    )
    code = issued["code"]
    _require(issued["issued"], f"no code was issued: {issued}")
    stage.says("server", f"issued: {code}")
    checked = await _call(client, stage, "check_coupon", code=code, customer=CUSTOMER)
    _require(checked["verdict"] == "valid", f"{code} is not valid: {checked}")
    stage.says("server", f"{checked['verdict']}: {checked['summary']}")


async def _set_up_campaign(client: Client, human: Human) -> None:
    stage = human.stage
    stage.title("A campaign like last summer's: one plan, which a person sees first")
    year = datetime.now(UTC).year + 1
    made = await _call(
        client,
        stage,
        "set_up_campaign",
        applicationId=SHOP,
        copyOf="Summer promotions",
        name=f"Summer {year}",
        startTime=f"{year}-06-01T00:00:00Z",
        endTime=f"{year}-09-01T00:00:00Z",
        coupons={"count": 20, "pattern": "SUN-####-####"},
    )
    _require(len(human.questions) == 1, "nobody was asked about the plan")
    for step in made["steps"]:
        stage.says("server", f"{step['operation']}: {step['result']}")
    wanted = {"applicationId": SHOP, "campaign": made["campaign"]["id"]}
    report = await _call(client, stage, "campaign_report", **wanted)
    created = report["coupons"]["created"]
    _require(created == 20, f"it has no 20 coupons: {report}")  # noqa: PLR2004 - as it was asked for
    stage.says("server", f"{report['name']}: {report['state']}, {created} coupons created")


async def _decline_deletion(client: Client, human: Human) -> None:
    stage = human.stage
    stage.title("The agent tries to delete a campaign; the person says no")
    human.approves = False
    refused = await _ask(client, stage, "run_operation", _deletion())
    _require(len(human.questions) == 2, "nobody was asked")  # noqa: PLR2004 - the plan, and now
    _require(_error_kind(refused) == "declined", f"the call was not declined: {refused}")
    stage.says("server", _error(refused))
    campaign = await _call(client, stage, "get_campaign", **SUMMER)
    stage.says("server", _summary(campaign))


async def _accept_deletion(client: Client, human: Human) -> None:
    stage = human.stage
    stage.title("Asked once more, the person says yes")
    human.approves = True
    await _call(client, stage, "run_operation", **_deletion())
    _require(len(human.questions) == 3, "nobody was asked")  # noqa: PLR2004 - twice before
    stage.says("server", "deleted")
    gone = await _ask(client, stage, "get_campaign", SUMMER)
    _require(_error_kind(gone) == "not_found", f"the campaign is still there: {gone}")
    stage.says("server", _error(gone))


def _check_log(stage: Stage, folder: Path) -> None:
    stage.title("The audit log has every write, and how it was confirmed")
    log = folder / LOG
    lines = [json.loads(line) for line in log.read_bytes().splitlines()] if log.exists() else []
    ends = [line for line in lines if "via" not in line and line["outcome"] != "asked"]
    for line in ends:
        confirmed = ", confirmed in the conversation" if "confirmed" in line else ""
        stage.says("", f"{line['operation']:<18}{line['outcome']}{confirmed}")
    told = [(line["operation"], line["outcome"]) for line in ends]
    _require(told == _STORY, f"the audit log tells another story: {told}")
    verdict = verify(folder)
    _require(not verdict.problems, f"the audit log does not hold: {'; '.join(verdict.problems)}")
    stage.says("", f"{verdict.lines} lines, each bound to the one before it: none was changed")


def _tell_what_next(stage: Stage) -> None:
    stage.to.print("\nEvery step held. What next:", style="bold")
    command = _command()
    for typed, meaning in (
        (f"call check_coupon --sandbox code={USED_CODE}", "the same, asked by you"),
        ("install HOST --sandbox", f"HOST is {', '.join(HOSTS)}"),
        ("doctor", "your own account: what is set, and whether it works"),
    ):
        stage.to.print(f"  {command} {typed}", soft_wrap=True)
        stage.says("", meaning, "dim")


def _command() -> str:
    """Return what a person types to start this program."""
    started, name = sys.argv[0], "talonone-mcp"
    found = shutil.which(name)
    if found and Path(found).resolve() == Path(started).resolve():
        return name
    if Path(started).stem == name:
        return shlex.quote(started)
    return f"{Path(sys.executable).name} -m talonone_mcp"


def _deletion() -> dict[str, Any]:
    """Return the arguments of `run_operation`: the host does not see `delete_campaign`."""
    return {"name": "delete_campaign", "arguments": SUMMER}


async def _call(client: Client, stage: Stage, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool, showing the call, and return its answer.

    Raises:
        StepFailedError: the answer is an error.
    """
    result = await _ask(client, stage, tool, arguments)
    _require(not result.is_error, f"{tool}: {result.structured_content}")
    return dict(result.structured_content or {})


async def _ask(
    client: Client, stage: Stage, tool: str, arguments: dict[str, Any]
) -> types.CallToolResult:
    """Call a tool, showing the call, and return its result, which may be an error."""
    stage.says("agent", f"{tool} {' '.join(_pairs(arguments))}")
    return await client.call_tool(tool, arguments)


def _pairs(arguments: dict[str, Any]) -> Sequence[str]:
    """Return arguments as one would type them."""
    plain = {
        name: value if isinstance(value, str) and " " not in value else json.dumps(value)
        for name, value in arguments.items()
    }
    return [f"{name}={value}" for name, value in plain.items()]


def _summary(campaign: dict[str, Any]) -> str:
    return f"{campaign['id']}, {campaign['name']}, {campaign['frontendState']}"


def _error_kind(result: types.CallToolResult) -> str | None:
    content = result.structured_content or {}
    return content["error"]["kind"] if result.is_error else None


def _error(result: types.CallToolResult) -> str:
    error = (result.structured_content or {})["error"]
    return textwrap.shorten(f"{error['kind']}: {error['message']}", LINE_CHARS, placeholder=" ...")


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise StepFailedError(otherwise)
