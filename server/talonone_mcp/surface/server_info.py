"""`server_info`: tells an agent where it works, and what a person will be asked about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp import types

from talonone_mcp.calls.caller import Caller
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.policy import OTHER, Policy
from talonone_mcp.core.policy.reasons import window_in_words
from talonone_mcp.core.settings import ConfirmPolicy

if TYPE_CHECKING:
    from talonone_mcp.calls.executor import Executor, ServerStanding

INFO = "server_info"
_SANDBOX = "the sandbox: a practice account, where nothing real changes"
_HOW: Mapping[ConfirmPolicy, str] = {
    "ask": "in the conversation, or else by an approval outside it",
    "approve": "by an approval outside the conversation",
    "block": "nobody is asked: such a call is blocked",
    "off": "nobody is asked",
}
_MAX_LISTED = 50  # Applications


_ANSWER = {
    "type": "object",
    "properties": {
        "account": {"type": "string"},
        "applications": {"type": "array"},
        "readOnly": {"type": "boolean"},
        "confirmation": {"type": "object"},
    },
}


def info_tool(*, with_output: bool = False) -> types.Tool:
    """Return `server_info` as an MCP tool, optionally with the schema of its answer."""
    return types.Tool(
        name=INFO,
        title="About this server",
        description=(
            "Where you work: the account, its Applications, whether changes are allowed, and what"
            " a person must confirm, so that you can say so in advance."
        ),
        input_schema={"type": "object", "properties": {}, "additionalProperties": False},
        output_schema=_ANSWER if with_output else None,
        annotations=types.ToolAnnotations(
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
    )


async def server_info(
    arguments: Mapping[str, Any], caller: Caller, executor: Executor, policy: Policy
) -> dict[str, Any]:
    """Answer `server_info`.

    Raises:
        CallError: `invalid_arguments`; `blocked`, if the sums cannot be read.
    """
    if arguments:
        raise CallError(
            "invalid_arguments",
            f"{INFO} takes no arguments.",
            hint="Call it with an empty object.",
        )
    standing = await executor.standing(caller)
    answer = {
        "account": _SANDBOX if standing.place.is_sandbox else standing.place.name,
        "applications": await _applications(executor, caller),
        "readOnly": standing.read_only,
    }
    return answer if standing.read_only else {**answer, "confirmation": _asked(standing, policy)}


def _asked(standing: ServerStanding, policy: Policy) -> dict[str, Any]:
    """Return what a person is asked about, and how much may still go without."""
    beyond = {
        f"{line.kind} {line.unit}": {
            **({} if line.above is None else {"above": line.above}),
            **({} if line.at_least is None else {"from": line.at_least}),
            "left": round(standing.left.get((line.kind, line.unit), 0.0), 2),
        }
        for line in policy.lines
        if line.asked == "beyond"
    }
    measured = {line.kind for line in policy.lines if line.asked == "beyond"}
    return {
        "how": _HOW[standing.mode],
        "always": [
            line.kind
            for line in policy.lines
            if line.asked == "always" and line.unit == OTHER and line.kind not in measured
        ],
        "beyond": beyond,
        "window": window_in_words(policy.window_s),
    }


async def _applications(executor: Executor, caller: Caller) -> list[dict[str, Any]]:
    """Return the Applications, by id and name as far as upstream shows them."""
    try:
        listed = await executor.call_in_full(
            executor.operation("list_applications"), {"pageSize": _MAX_LISTED}, caller
        )
    except CallError:  # such as without a key of the Management API
        return [{"id": each} for each in executor.applications]
    return [{"id": each.get("id"), "name": each.get("name")} for each in listed.get("data", ())]
