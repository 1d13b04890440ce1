"""Starts talonone-mcp out of a bundle, where this file is called `server.py`.

A host writes what its user entered into `--name=value` and into variables. It writes `true` and
`false` for what is a flag here, and of what was left blank it writes nothing, or leaves the
placeholder as it was: https://github.com/modelcontextprotocol/mcpb/issues/250. Arguments without
such a form are a command of their own: `server.py approvals list`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from talonone_mcp.terminal.main import main

PLACEHOLDER = "${user_config."


def entered(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the flags that the user's entries come to."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            yield argument
        elif value == "true":
            yield name
        elif value not in ("", "false") and not value.startswith(PLACEHOLDER):
            yield argument


def start() -> int:
    """Run the command that the host, or a person in a terminal, asks for."""
    for name, value in list(os.environ.items()):
        if value.startswith(PLACEHOLDER):
            del os.environ[name]
    return main(list(entered(sys.argv[1:])))


if __name__ == "__main__":
    sys.exit(start())
