"""The person at the terminal: asked what only a person may say, and told what went wrong.

A yes wants a terminal, and the passphrase where one is set; no flag goes around either.
"""

# ruff: noqa: T201 - a question is put where a command answers

from __future__ import annotations

import getpass
import io
import os
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from talonone_mcp.calls.caller import NobodyThereError, Reply
from talonone_mcp.core.text import one_line
from talonone_mcp.store import passphrase as passphrases

FAILED, USAGE = 1, 2  # exit statuses: it did not succeed; it was not tried, as it was typed
_TRIES = 3  # of the passphrase
_WIDTH = 90  # characters of a line of a question
_LONGEST = 2000  # characters of one line of what is said on stderr


@dataclass(frozen=True, slots=True)
class TerminalPerson:
    """Whoever sits at the terminal that a command was started in.

    `folder` is the state directory, which holds the passphrase if one is set.
    """

    folder: Path

    async def answer(self, question: str, call: str) -> Reply:
        """Put the question and wait for what is typed. See `gate.Person`."""
        if not at_terminal():
            raise NobodyThereError("this is no terminal")
        return await anyio.to_thread.run_sync(self._asked, question)

    def _asked(self, question: str) -> Reply:
        print("\n".join(textwrap.wrap(one_line(question, 20_000), _WIDTH)))
        agreed = says_yes("Do exactly this?")
        if agreed and passphrases.is_set(self.folder):
            agreed = knows_passphrase(self.folder, "Passphrase: ")
        return Reply("yes" if agreed else "no", late=True)


def at_terminal() -> bool:
    """Tell whether a person can be asked: both ends of the conversation are a terminal."""
    # Python has no stream at all where the one it was started with is closed.
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def says_yes(question: str) -> bool:
    """Ask a question, of which only the whole word counts as a yes."""
    # Given the question, input() would write it to stderr, which may be somebody's log.
    print(f"{question} Type yes: ", end="", flush=True)
    try:
        return input().strip() == "yes"
    except EOFError:
        print()
        return False


def knows_passphrase(folder: Path, prompt: str) -> bool:
    """Ask for the passphrase of a state directory, a few times."""
    for _ in range(_TRIES):
        typed = ask_hidden(prompt)
        if not typed:
            return False
        if passphrases.matches(folder, typed):
            return True
        print("That is not it.")
    return False


def ask_hidden(prompt: str) -> str:
    """Ask without showing what is typed; nothing, where they end the input."""
    try:
        return getpass.getpass(prompt)
    except EOFError:
        print()
        return ""


def user() -> str:
    """Return the name of the user; not `getpass.getuser`, which believes the environment."""
    try:
        import pwd  # noqa: PLC0415 - Windows has none

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # a container's user may have no name
        return "unknown"


def writable_anyhow() -> None:
    """Let stdout show what it can, at a terminal that lacks a letter."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def warn(message: str) -> None:
    """Say something in one line on stderr."""
    print(f"talonone-mcp: {one_line(message, _LONGEST)}", file=sys.stderr, flush=True)


def fail(message: str, status: int = FAILED) -> int:
    """Say what went wrong, and return the exit status."""
    warn(message)
    return status
