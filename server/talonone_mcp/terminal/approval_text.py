"""How `talonone-mcp approvals` shows an approval.

Anything that an agent or a customer wrote is cleaned before it is printed, so that no question
can draw something else over itself.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from talonone_mcp.core.text import clean, one_line
from talonone_mcp.store.ledger import Approval
from talonone_mcp.terminal.question_lines import question_lines
from talonone_mcp.terminal.streams import in_columns

LIST_HEAD = ("id", "state", "tool", "expires", "deployment", "question")
_ARGUMENTS = "Arguments, whole but for secrets and the end of a very long CSV"


def record(approval: Approval, now: float) -> dict[str, Any]:
    """Return an approval as JSON, without the digest, which would allow guessing a secret."""
    call = approval.call
    return {
        "id": approval.id,
        "state": standing(approval, now),
        "tool": call.tool,
        "arguments": _arguments(call.arguments),
        "question": approval.question,
        "deployment": call.deployment,
        "client": call.client,
        "principal": call.principal,
        "created": _timestamp(approval.created),
        "expires": _timestamp(approval.expires),
        "decided_by": approval.decided_by,
        "reason": approval.reason,
    }


def list_row(approval: Approval, now: float) -> tuple[str, ...]:
    """Return what the list shows of an approval, a cell for each of `LIST_HEAD`."""
    return (
        approval.id,
        standing(approval, now),
        _cleaned(approval.call.tool),
        f"in {span(approval.expires - now)}",
        _cleaned(approval.call.deployment),
        _cleaned(approval.question),
    )


def everything(approval: Approval, now: float) -> str:
    """Describe an approval, with the question last so that no arguments scroll it away."""
    call = approval.call
    facts: Mapping[str, str] = {
        "Approval": approval.id,
        "State": standing(approval, now),
        "Tool": call.tool,
        "Deployment": call.deployment,
        "Principal": call.principal,
        "Client": call.client,
        "Created": clock(approval.created),
        "Expires": clock(approval.expires),
        "Decided by": approval.decided_by,
        "Reason": approval.reason,
    }
    lines = in_columns((name, _cleaned(value)) for name, value in facts.items() if value)
    arguments = json.dumps(_arguments(call.arguments), indent=2, ensure_ascii=False)
    # The bar is on every line, so that no question can look like what is printed after it.
    bar = [f"| {line}" for line in question_lines(approval.question)]
    return "\n".join([*lines, _ARGUMENTS, textwrap.indent(_visible(arguments), "  "), "", *bar])


def what_it_allows(approval: Approval) -> str:
    """Say what approving it allows."""
    call = approval.call
    return (
        f"one call of {_cleaned(call.tool)} with exactly these arguments,"
        f" by {_cleaned(call.principal)} on {_cleaned(call.deployment)}"
    )


def deny_command(approval: Approval) -> str:
    """Return the command that denies it."""
    return f"talonone-mcp approvals deny {approval.id}"


def standing(approval: Approval, now: float) -> str:
    """Return the state of an approval, or "expired" if it can no longer be decided or used."""
    over = approval.state in ("pending", "approved") and now >= approval.expires
    return "expired" if over else approval.state


def _arguments(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # show it as it is
        return text


def _visible(text: str) -> str:
    """Escape what a terminal would hide or obey: upstream receives it all the same."""
    hidden = [letter for letter in set(text) if not clean(letter)]
    return text.translate({ord(letter): json.dumps(letter)[1:-1] for letter in hidden})


def _cleaned(text: str) -> str:
    return one_line(text, len(text))


def shown_id(given: str) -> str:
    """Return an id that somebody typed, cleaned and cut: it can be anything."""
    return one_line(given, 40)


def span(seconds: float) -> str:
    """Return a duration in whole units, rounded down: nobody should count on more."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def clock(seconds: float) -> str:
    """Return a time in the local time zone."""
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _timestamp(seconds: float) -> str:
    """Return a time as RFC 3339 defines it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
