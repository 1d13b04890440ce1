"""`talonone-mcp demo`: a minute in the life of a host, on the sandbox, told as it happens.

The server runs as a child process and is spoken to over stdio, so what is shown is what a host
gets. Nothing leaves this machine.
"""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp import Client, StdioServerParameters, types
from mcp.client import ClientRequestContext
from mcp.client.stdio import stdio_client

from talonone_mcp.state import STATE_DIR

_WIDTH = 88


class StepFailedError(Exception):
    """A step of the demo did not show what it is there to show."""


@dataclass(slots=True)
class Human:
    """The person at the host: is shown each question and gives the answer prepared for it."""

    approves: bool = False
    questions: list[str] = field(default_factory=list)

    async def answer(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        """Print the question and answer it."""
        self.questions.append(params.message)
        _quote(params.message)
        _line(f"The person answers: {'yes' if self.approves else 'no'}.")
        if self.approves:
            return types.ElicitResult(action="accept", content={"approve": True})
        return types.ElicitResult(action="decline")


def run_demo() -> int:
    """Run the demo and return its exit status: 0 when every step held, otherwise 1."""
    failure = anyio.run(_demo)
    if failure:
        print(f"\nThis step failed: {failure}", file=sys.stderr)
        return 1
    print("\nEvery step held. To use your own account, see the README: Connect it to a host.")
    return 0


async def _demo() -> str | None:
    """Start the server, play, and return what failed."""
    command = [sys.executable, "-m", "talonone_mcp", "serve", "--sandbox"]
    print("An MCP client, this server, and Talon.One in a box. No account, no network.")
    print(f"$ talonone-mcp {' '.join(command[3:])}")
    human = Human()
    with TemporaryDirectory() as state:  # so that a demo is no line of the user's audit log
        server = StdioServerParameters(command=command[0], args=command[1:], env={STATE_DIR: state})
        async with Client(stdio_client(server), elicitation_callback=human.answer) as client:
            try:
                await play(client, human)
            except StepFailedError as failed:
                return str(failed)
    return None


async def play(client: Client, human: Human) -> None:
    """Go through the steps with a connected client.

    Raises:
        StepFailedError: a step did not hold.
    """
    tools = (await client.list_tools()).tools
    _line(f"Connected, MCP {client.protocol_version}, {len(tools)} tools.")
    application = await _find_application(client)
    campaign = await _find_campaign(client, application)
    await _issue_coupon(client, application, campaign)
    doomed = {"applicationId": application, "campaignId": campaign["id"]}
    await _decline_deletion(client, human, doomed)
    await _accept_deletion(client, human, doomed)


async def _find_application(client: Client) -> int:
    _step("Which Application?")
    applications = (await _call(client, "list_applications"))["data"]
    for each in applications:
        _line(f"{each['id']}  {each['name']}  ({each['currency']}, {each['timezone']})")
    _require(applications, "the account has no Application")
    return int(applications[0]["id"])


async def _find_campaign(client: Client, application: int) -> dict[str, Any]:
    _step("Its campaigns")
    campaigns = (await _call(client, "list_campaigns", applicationId=application))["data"]
    for each in campaigns:
        redeemed = f"{each['couponRedemptionCount']:>3} coupons redeemed"
        _line(f"{each['id']}  {each['name']:<22} {each['frontendState']:<10} {redeemed}")
    running = [each for each in campaigns if each["frontendState"] == "running"]
    _require(running, "no campaign is running")
    return dict(running[0])


async def _issue_coupon(client: Client, application: int, campaign: dict[str, Any]) -> None:
    customer = "anna.schmidt"
    _step(f"A voucher for {customer} from {campaign['name']}")
    where = {"applicationId": application, "campaignId": campaign["id"]}
    created = await _call(
        client,
        "create_coupons",
        **where,
        numberOfCoupons=1,
        usageLimit=1,
        recipientIntegrationId=customer,
        silent="no",
    )
    code = created["data"][0]["value"]
    _line(f"Issued: {code}")
    _step("Is it there?")
    wanted = {"applicationId": application, "value": code, "exactMatch": True}
    found = await _call(client, "search_coupons", **wanted)
    _require([c["value"] for c in found["data"]] == [code], f"{code} was not found again")
    coupon = found["data"][0]
    _require(coupon["recipientIntegrationId"] == customer, "the coupon is somebody else's")
    _line(f"{code}  for {customer}, redeemed {coupon['usageCounter']} of {coupon['usageLimit']}")


async def _decline_deletion(client: Client, human: Human, doomed: dict[str, Any]) -> None:
    _step("The agent tries to delete the campaign; the host asks its user")
    deletion = _deletion(doomed)
    _line(f"> run_operation {json.dumps(deletion)}")
    refused = await client.call_tool("run_operation", deletion)
    _require(len(human.questions) == 1, "nobody was asked")
    _require(_error_kind(refused) == "declined", f"the call was not declined: {refused}")
    _step("So it is still there")
    campaign = await _call(client, "get_campaign", **doomed)
    _line(f"{campaign['id']}  {campaign['name']}  {campaign['frontendState']}")


def _deletion(doomed: dict[str, Any]) -> dict[str, Any]:
    """Return what `run_operation` is called with: the host was not shown `delete_campaign`."""
    return {"name": "delete_campaign", "arguments": doomed}


async def _accept_deletion(client: Client, human: Human, doomed: dict[str, Any]) -> None:
    _step("Asked again, the person agrees")
    human.approves = True
    await _call(client, "run_operation", **_deletion(doomed))
    _require(len(human.questions) == 2, "nobody was asked")  # noqa: PLR2004 - now and before
    _step("And it is gone")
    _line(f"> get_campaign {json.dumps(doomed)}")
    gone = await client.call_tool("get_campaign", doomed)
    _require(_error_kind(gone) == "not_found", f"the campaign is still there: {gone}")
    _line((gone.structured_content or {})["error"]["message"])


async def _call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool, showing the call, and return its answer.

    Raises:
        StepFailedError: the answer is an error.
    """
    _line(f"> {tool} {json.dumps(arguments)}")
    result = await client.call_tool(tool, arguments)
    _require(not result.is_error, f"{tool}: {result.structured_content}")
    return dict(result.structured_content)


def _error_kind(result: types.CallToolResult) -> str | None:
    content = result.structured_content or {}
    return content["error"]["kind"] if result.is_error else None


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise StepFailedError(otherwise)


def _step(title: str) -> None:
    print(f"\n{title}")


def _line(text: str) -> None:
    print(f"   {text}")


def _quote(text: str) -> None:
    for line in textwrap.wrap(text, _WIDTH - 7):
        print(f"   |  {line}")
