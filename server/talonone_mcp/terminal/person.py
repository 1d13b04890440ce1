"""Ask the person at the terminal what only a person may say.

A yes needs a terminal, and the passphrase if one is set; no flag replaces either.
"""

# ruff: noqa: T201 - a question is put where a command answers

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from talonone_mcp.calls.caller import NobodyThereError, Reply
from talonone_mcp.store import passphrase as passphrases
from talonone_mcp.terminal.question_lines import question_lines

_MAX_TRIES = 3  # at the passphrase


@dataclass(frozen=True, slots=True)
class TerminalPerson:
    """The person at the terminal in which a command was started.

    `folder` is the state directory, which holds the passphrase if one is set.
    """

    folder: Path

    async def answer(self, question: str, call: str) -> Reply:
        """Put the question and wait for what is typed. See `gate.Person`."""
        if not at_terminal():
            raise NobodyThereError("there is no terminal")
        return await anyio.to_thread.run_sync(self._asked, question)

    def _asked(self, question: str) -> Reply:
        print("\n".join(question_lines(question)))
        agreed = says_yes("Do exactly this?")
        if agreed and passphrases.is_set(self.folder):
            agreed = knows_passphrase(self.folder, "Passphrase: ")
        return Reply("yes" if agreed else "no", late=True)


def at_terminal() -> bool:
    """Tell whether a person can be asked: stdin and stdout are both a terminal."""
    # A stream that was closed when Python started is None.
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def says_yes(question: str) -> bool:
    """Ask a question; only the whole word "yes" counts."""
    # input(question) could write the question to stderr, which may be somebody's log.
    print(f"{question} Type yes: ", end="", flush=True)
    try:
        return input().strip() == "yes"
    except EOFError:
        print()
        return False


def knows_passphrase(folder: Path, prompt: str) -> bool:
    """Ask for the passphrase of a state directory up to three times."""
    for _ in range(_MAX_TRIES):
        typed = ask_hidden(prompt)
        if not typed:
            return False
        if passphrases.matches(folder, typed):
            return True
        print("That is not it.")
    return False


def ask_hidden(prompt: str) -> str:
    """Ask without showing what is typed; return "" at the end of input."""
    try:
        return getpass.getpass(prompt)
    except EOFError:
        print()
        return ""


def user() -> str:
    """Return the user's name; `getpass.getuser` would trust the environment."""
    try:
        import pwd  # noqa: PLC0415 - Windows has none

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # a container's user may have no name
        return "unknown"
