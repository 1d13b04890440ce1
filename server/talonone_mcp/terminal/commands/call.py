"""`talonone-mcp call`: call one operation or workflow from the terminal, just as agents do.

The same checks and the same gate apply: what a person must confirm is asked at the terminal or,
without one, waits for approval. No flag says yes.
"""

# ruff: noqa: T201 - stdout is what a command answers on

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import anyio

from talonone_mcp.calls.caller import LOCAL, Caller
from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog, CatalogError, Operation, Tool
from talonone_mcp.core.catalog.served_catalog import with_settings
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.policy import PolicyError
from talonone_mcp.core.settings import Settings, SettingsError, load_settings
from talonone_mcp.server.wiring import open_dispatch
from talonone_mcp.store.local_store import local_store
from talonone_mcp.terminal.call_arguments import ArgumentsError, find_tool, read_arguments
from talonone_mcp.terminal.person import TerminalPerson
from talonone_mcp.terminal.progress_line import shown_progress
from talonone_mcp.terminal.serve_options import ACCOUNT_OPTIONS, add_account_options
from talonone_mcp.terminal.streams import USAGE, escape_unprintable, fail, say, status_of


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    said = "call one operation or workflow"
    call = commands.add_parser(
        "call",
        help=said,
        description="Call one operation or workflow, such as: call list_campaigns applicationId=42."
        " What it takes: talonone-mcp tools NAME.",
    )
    call.add_argument("name", metavar="NAME", help="of the operation or workflow")
    call.add_argument(
        "pairs", metavar="KEY=VALUE", nargs="*", help="its arguments; lists and objects as JSON"
    )
    call.add_argument(
        "--input", metavar="FILE", help="arguments from a file with a JSON object; - for stdin"
    )
    call.add_argument(
        "--json",
        action="store_true",
        help="print JSON, which is the default unless a person is reading",
    )
    add_account_options(call)
    call.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    escape_unprintable()
    flags = {name: getattr(options, name) for name in ACCOUNT_OPTIONS}
    try:
        settings = _asking(load_settings(flags, os.environ))
        catalog = with_settings(catalogs.load(), settings)
        tool = find_tool(catalog, options.name)
        arguments = read_arguments(tool, options.pairs, options.input)
    except (SettingsError, CatalogError, ArgumentsError) as error:
        return fail(str(error), USAGE)
    except PolicyError as error:
        return say(str(error), USAGE)
    try:
        answer = anyio.run(_answer, settings, catalog, tool, arguments)
    except CallError as error:  # no call could even be attempted
        answer = error.as_dict()
    if options.json or not sys.stdout.isatty():
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        _print(tool, arguments, answer)
    return status_of(answer)


def _asking(settings: Settings) -> Settings:
    """Ask a person even if the configuration turns that off: the caller may have written it.

    Anything stricter than asking stays.
    """
    if settings.confirm != "off":
        return settings
    return settings.model_copy(update={"confirm": "ask"})


async def _answer(
    settings: Settings, catalog: Catalog, tool: Tool, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    person = TerminalPerson(settings.state_dir)
    async with open_dispatch(settings, catalog, local_store(settings)) as dispatch:
        with shown_progress() as progress:
            caller = Caller(LOCAL, "terminal", person=person, progress=progress)
            try:
                call = dispatch.resolve(tool.name, arguments)
                answer = await dispatch.call(call, caller, in_full=True)
            except CallError as error:
                answer = error.as_dict()
        return dispatch.shown(tool, answer)


def _print(tool: Tool, arguments: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    from talonone_mcp.terminal import printing  # noqa: PLC0415 - slow to load, and not for scripts

    if "kind" in answer.get("error", {}):
        printing.print_error(printing.console(sys.stderr), answer["error"])
        return
    view = tool.view if isinstance(tool, Operation) else ()
    printing.print_answer(printing.console(sys.stdout), answer, arguments.get("fields", view))
