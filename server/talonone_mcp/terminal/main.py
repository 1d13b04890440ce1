"""The command `talonone-mcp`: read the command line and run one command."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from talonone_mcp import __version__
from talonone_mcp.core.state_folder import StateError
from talonone_mcp.terminal.serve_options import add_serve_options
from talonone_mcp.terminal.streams import USAGE, say

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from talonone_mcp.core.settings import Settings
    from talonone_mcp.server.runtime import Runtime

COMMANDS = {
    "approvals": "approve or deny what agents wait for",
    "audit": "look at the log of what was called",
    "call": "call one operation or workflow",
    "completion": "have a shell complete what is typed",
    "doctor": "check the configuration, the keys and the way to Talon.One",
    "install": "tell a host, such as Claude or Cursor, to start this server",
    "policy": "see what a person must confirm, and what a call would do",
    "sandbox": "serve the embedded Talon.One over HTTP",
    "tools": "list, search and explain what can be called",
    "uninstall": "take out of a host what install put in",
}


class _Parser(argparse.ArgumentParser):
    """Refuses abbreviated flags, which a new flag could make ambiguous; so do its subcommands."""

    def __init__(self, **given: Any) -> None:
        super().__init__(allow_abbrev=False, **given)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 success, 1 failure, 2 wrong use."""
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        from talonone_mcp.terminal.commands.completion import complete

        complete(command_parser)
    options = read_command_line(sys.argv[1:] if arguments is None else arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except StateError as error:
        return say(str(error), USAGE)
    except KeyboardInterrupt:
        return 130  # as a shell reports a program that SIGINT ended


def read_command_line(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command; calling `run` with them runs it.

    Raises:
        SystemExit: the arguments are wrong (status 2), or ask for help or the version (0).
    """
    given = list(arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given.insert(0, "serve")  # hosts start `talonone-mcp` alone
    parser = command_parser(given[0])
    options, rest = parser.parse_known_args(given)
    if any(each.startswith("-") for each in rest) or (rest and not hasattr(options, "pairs")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:  # argparse takes no argument of `call` that comes after a flag
        options.pairs += rest
    return options


def command_parser(command: str) -> argparse.ArgumentParser:
    """Return the parser; only the given command's own module is loaded."""
    parser: argparse.ArgumentParser = _Parser(
        prog="talonone-mcp", description="Talon.One for MCP clients."
    )
    parser.add_argument("--version", action="version", version=f"talonone-mcp {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_serve(commands)
    demo = commands.add_parser("demo", help="watch a client work with the sandbox for a minute")
    demo.set_defaults(run=_demo)

    for name, said in COMMANDS.items():
        if name == command:
            import_module(f"talonone_mcp.terminal.commands.{name}").add_to(commands)
        else:
            commands.add_parser(name, help=said)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", help="serve MCP (also without any command)")
    add_serve_options(serve)
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from talonone_mcp.core.settings import SettingsError, load_settings

    flags = {key: value for key, value in vars(options).items() if key != "run"}
    try:
        settings = load_settings(flags, os.environ)
    except SettingsError as error:
        return say(f"cannot start. {error}", USAGE)
    if settings.confirm == "off":
        say("--confirm off: calls that delete or give away a lot run without asking anybody")
    if settings.sandbox and os.environ.get("TALONONE_BASE_URL"):
        say("--sandbox: TALONONE_BASE_URL and its keys are not used")
    return _run_server(settings)


def _run_server(settings: Settings) -> int:
    import anyio

    from talonone_mcp.core import catalog
    from talonone_mcp.core.policy import PolicyError
    from talonone_mcp.server.app import build_server
    from talonone_mcp.surface.tool_list import SurfaceError

    try:
        server = build_server(settings, catalog.load())
    except catalog.CatalogError as error:  # a checkout with an entry that is being edited
        return say(f"cannot start. tools/: {error}", USAGE)
    except (SurfaceError, PolicyError) as error:
        return say(f"cannot start. {error}", USAGE)
    if settings.transport == "stdio":
        anyio.run(_over_stdio, server)
        return 0
    from talonone_mcp.server.http import serve_http

    try:
        anyio.run(serve_http, server, settings.host, settings.port)
    except OSError as error:
        return say(f"cannot serve on {settings.host}:{settings.port}: {error.strerror}", USAGE)
    return 0


async def _over_stdio(server: Server[Runtime]) -> None:
    from mcp.server.stdio import stdio_server

    # The thread that waits for stdin cannot be interrupted; Ctrl-C would wait for it in vain.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.stdin.isatty():
        say("waiting for an MCP client on stdin; to try it out: talonone-mcp demo")
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _demo(_: argparse.Namespace) -> int:
    from talonone_mcp.terminal.demo import run_demo

    return run_demo()
