"""`talonone-mcp approvals`: a person sees what agents want to do, and says yes or no.

Only a person can say yes, so `approve` needs a terminal, and the passphrase if one is set; no flag
replaces either. Anything that an agent or a customer wrote is cleaned before it is printed, so that
a question cannot draw something else over itself.
"""

# ruff: noqa: T201 - stdout is what a command answers on

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from talonone_mcp.core.settings.loading import with_state
from talonone_mcp.core.state_folder import approval_lifetime, state_folder
from talonone_mcp.core.text import one_line
from talonone_mcp.store import passphrase as passphrases
from talonone_mcp.store.ledger import Approval, DecisionError, Ledger, LedgerError
from talonone_mcp.store.passphrase import PassphraseError
from talonone_mcp.store.sqlite_ledger import LEDGER_FILE, SqliteLedger
from talonone_mcp.terminal.approval_text import (
    LIST_HEAD,
    clock,
    deny_command,
    everything,
    list_row,
    record,
    shown_id,
    span,
    standing,
    what_it_allows,
)
from talonone_mcp.terminal.person import (
    ask_hidden,
    at_terminal,
    knows_passphrase,
    says_yes,
    user,
)
from talonone_mcp.terminal.streams import escape_unprintable, fail, warn

_REASON_CHARS = 500  # the agent reads it
_QUESTION_CHARS = 70  # that the list shows

_NO_TERMINAL = (
    "approve needs a terminal for input and output, and there is none. Only a person may say yes,"
    " and an agent with a shell is not one. In a terminal of your own:"
)
_UNGUARDED = (
    "no passphrase is set, so anyone who can run commands as this user, including any agent,"
    " could approve. To set one: talonone-mcp approvals passphrase"
)


@dataclass(frozen=True, slots=True)
class _State:
    """The state directory and its approvals."""

    folder: Path
    ledger: Ledger
    lifetime: float  # seconds


_Command = Callable[[argparse.Namespace, _State], int]


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command and its subcommands to the parser.

    Each sets `run`, which takes the options and returns the exit status: 0 success, 1 failure,
    2 wrong use.
    """
    help_ = "see, approve or deny the calls that wait for a person"
    parser = commands.add_parser("approvals", help=help_, description=help_.capitalize() + ".")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON, for a script")
    one = argparse.ArgumentParser(add_help=False)
    one.add_argument("id", metavar="ID", help="as the list, or the agent, names it")

    _add(actions, "list", _list, "what waits for a person, newest last", as_json)
    _add(actions, "show", _show, "all about one of them", one, as_json)
    approve = _add(actions, "approve", _approve, "say yes to exactly one call; in a terminal", one)
    approve.add_argument("--yes", action="store_true", help="do not ask again; read it first")
    deny = _add(actions, "deny", _deny, "say no to a call", one)
    deny.add_argument("--reason", default="", metavar="TEXT", help="why; the agent reads it")
    _add(actions, "prune", _prune, "delete what is over: expired, or answered a week ago")
    _add(actions, "passphrase", _passphrase, "set what is asked for before each yes")


def _add(
    actions: argparse._SubParsersAction[Any],
    name: str,
    command: _Command,
    help_: str,
    *parents: argparse.ArgumentParser,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=help_, description=help_.capitalize() + ".", parents=parents
    )
    parser.set_defaults(run=partial(_run, command))
    return parser


def _run(command: _Command, options: argparse.Namespace) -> int:
    """Run a command; report an error as one line on stderr."""
    escape_unprintable()
    known = with_state(os.environ)
    folder, lifetime = state_folder(known), approval_lifetime(known)
    ledger = SqliteLedger(folder / LEDGER_FILE, lifetime=lifetime)
    try:
        return command(options, _State(folder, ledger, lifetime))
    except (LedgerError, DecisionError, PassphraseError) as error:
        return fail(str(error))


# --- The commands --------------------------------------------------------------------------------


def _list(options: argparse.Namespace, state: _State) -> int:
    waiting, now = state.ledger.waiting(), time.time()
    if options.json:
        print(json.dumps([record(approval, now) for approval in waiting], indent=2))
    elif waiting:
        from talonone_mcp.terminal import printing  # noqa: PLC0415 - slow to load, not for scripts

        rows = [list_row(approval, now) for approval in waiting]
        printing.print_table(
            printing.console(sys.stdout), LIST_HEAD, rows, cell_chars=_QUESTION_CHARS
        )
    else:
        print("Nothing waits.")
    return 0


def _show(options: argparse.Namespace, state: _State) -> int:
    approval, now = _find(options.id, state.ledger), time.time()
    if options.json:
        print(json.dumps(record(approval, now), indent=2))
    else:
        print(everything(approval, now))
    return 0


def _approve(options: argparse.Namespace, state: _State) -> int:
    if not at_terminal():
        return fail(f"{_NO_TERMINAL} talonone-mcp approvals approve {shown_id(options.id)}")
    approval = _undecided(options.id, state.ledger)
    guarded = passphrases.is_set(state.folder)
    print(everything(approval, time.time()))
    print(f"\nA yes allows {what_it_allows(approval)}, within {span(state.lifetime)}.\n")
    if not guarded:
        warn(_UNGUARDED)
    if not options.yes and not says_yes("Approve exactly this call?"):
        return fail(f"not approved; it still waits. To refuse it: {deny_command(approval)}")
    if guarded and not knows_passphrase(state.folder, "Passphrase: "):
        return fail("not approved: the passphrase is wrong")
    decided = state.ledger.decide(approval.id, approve=True, by=user())
    print(f"Approved: {what_it_allows(decided)}, until {clock(decided.expires)}.")
    print("It runs when the agent makes the same call again.")
    return 0


def _deny(options: argparse.Namespace, state: _State) -> int:
    approval = _find(options.id, state.ledger)
    reason = one_line(options.reason, _REASON_CHARS)
    denied = state.ledger.decide(approval.id, approve=False, by=user(), reason=reason)
    because = f": {denied.reason}" if denied.reason else ""
    print(f"Denied: {what_it_allows(denied)}.")
    print(f"If it calls again, the agent is told: A person denied this{because}.")
    return 0


def _prune(_: argparse.Namespace, state: _State) -> int:
    count = state.ledger.prune()
    print(f"{count} {'entry' if count == 1 else 'entries'} deleted.")
    return 0


def _passphrase(_: argparse.Namespace, state: _State) -> int:
    if not at_terminal():
        return fail("passphrase needs a terminal: it can only be typed")
    if passphrases.is_set(state.folder) and not knows_passphrase(
        state.folder, "Passphrase so far: "
    ):
        return fail("nothing was changed: the passphrase is wrong")
    new = ask_hidden("New passphrase: ")
    if new != ask_hidden("The new one again: "):
        return fail("nothing was changed: the two are not the same")
    try:
        passphrases.set_passphrase(state.folder, new)
    except ValueError as error:
        return fail(f"nothing was changed. {error}")
    print("The passphrase is set, and is asked for before each yes.")
    print(f"Only its hash is stored, in {state.folder / passphrases.NAME}: do not forget it.")
    return 0


def _find(given: str, ledger: Ledger) -> Approval:
    """Return the approval with this id.

    Raises:
        DecisionError: there is none.
    """
    approval = ledger.get(given)
    if approval is None:
        raise DecisionError(
            f"There is no approval {shown_id(given)}. What waits: talonone-mcp approvals list"
        )
    return approval


def _undecided(given: str, ledger: Ledger) -> Approval:
    """Return the approval with this id if it can be decided, so that nobody is asked in vain.

    Raises:
        DecisionError: there is none, or it is no longer pending.
    """
    approval = _find(given, ledger)
    state = standing(approval, time.time())
    if state == "expired":
        raise DecisionError(f"Approval {approval.id} has expired; the agent must call again.")
    if state != "pending":
        raise DecisionError(f"Approval {approval.id} is {state} already.")
    return approval
