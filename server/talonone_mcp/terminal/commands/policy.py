"""`talonone-mcp policy`: see what a person must confirm, what is left, and what a call would do."""

# ruff: noqa: T201 - stdout is what a command answers on

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog, CatalogError
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.policy import PolicyError
from talonone_mcp.core.policy.reasons import counted, window_in_words
from talonone_mcp.core.settings import Settings, SettingsError, load_settings
from talonone_mcp.core.text import one_line
from talonone_mcp.store.sums import SumsError
from talonone_mcp.terminal.call_arguments import ArgumentsError, read_arguments
from talonone_mcp.terminal.policy_text import (
    POLICY_HEAD,
    SUMS_HEAD,
    policy_record,
    policy_rows,
    sum_rows,
    window_record,
)
from talonone_mcp.terminal.serve_options import ACCOUNT_OPTIONS, add_account_options
from talonone_mcp.terminal.streams import USAGE, escape_unprintable, fail, say, status_of

if TYPE_CHECKING:
    from talonone_mcp.surface.dispatch import Dispatch

_CELL_CHARS = 120


class _Action(Protocol):
    def __call__(self, options: argparse.Namespace, settings: Settings, /) -> int: ...


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command and its subcommands to the parser."""
    said = "see what a person must confirm, and what a call would do"
    policy = commands.add_parser("policy", help=said, description=f"{said.capitalize()}.")
    actions = policy.add_subparsers(required=True, metavar="ACTION")
    show = _add(actions, "show", partial(_run, _show), "what a person is asked about, and why")
    show.add_argument("--config", metavar="FILE", help="use this configuration file")
    show.set_defaults(sandbox=True)  # a policy needs no account
    sums = _add(
        actions, "sums", partial(_run, _sums), "what calls gave, took, opened, and what is left"
    )
    add_account_options(sums)
    _add_explain(actions)


def _add_explain(actions: argparse._SubParsersAction[Any]) -> None:
    explain = _add(
        actions,
        "explain",
        partial(_run, _explain),
        "what a call would do, whether a person is asked, and the question",
    )
    explain.add_argument("name", metavar="OPERATION", nargs="?", help="or the name of a workflow")
    explain.add_argument(
        "pairs", metavar="KEY=VALUE", nargs="*", help="its arguments; lists and objects as JSON"
    )
    explain.add_argument("--arguments", metavar="JSON", help="its arguments, as a JSON object")
    explain.add_argument(
        "--stdin",
        action="store_true",
        help='read calls instead, each a line {"operation": ..., "arguments": {...}}, and answer'
        " each with a line of JSON",
    )
    add_account_options(explain)


def _add(
    actions: argparse._SubParsersAction[Any], name: str, run: Any, said: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=said, description=f"{said[0].upper()}{said[1:]}."
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for a script")
    parser.set_defaults(run=run)
    return parser


def _run(action: _Action, options: argparse.Namespace) -> int:
    """Run a subcommand; report what is wrong with the configuration on stderr."""
    escape_unprintable()
    flags = {name: getattr(options, name, None) for name in ACCOUNT_OPTIONS}
    try:
        return action(options, load_settings(flags, os.environ))
    except (SettingsError, CatalogError, ArgumentsError) as error:
        return fail(str(error), USAGE)
    except PolicyError as error:
        return say(str(error), USAGE)
    except SumsError as error:
        return fail(str(error))


def _show(options: argparse.Namespace, settings: Settings) -> int:
    policy = settings.policy_over(catalogs.load().policy)
    if options.json:
        print(json.dumps(policy_record(policy), ensure_ascii=False, indent=2))
        return 0
    _print_table(POLICY_HEAD, policy_rows(policy))
    window = window_in_words(policy.window_s)
    print(f"Sums are those of the last {window} ({policy.window_origin}), without what a person")
    print("said yes to. What no line is about is always asked about.")
    return 0


def _sums(options: argparse.Namespace, settings: Settings) -> int:
    from talonone_mcp.store.local_store import local_store  # noqa: PLC0415 - `show` needs no store

    policy = settings.policy_over(catalogs.load().policy)
    found = local_store(settings).sums.by_principal(settings.deployment, policy.window_s)
    rows = [*sum_rows(policy, found)]
    if options.json:
        content = {
            "deployment": settings.deployment,
            "window": window_record(policy),
            "sums": [row.to_json() for row in rows],
        }
        print(json.dumps(content, ensure_ascii=False, indent=2))
        return 0
    _print_table(SUMS_HEAD, (row.cells() for row in rows))
    where = "the sandbox" if settings.sandbox else settings.deployment
    print(f"The last {window_in_words(policy.window_s)} on {where}.")
    return 0


def _explain(options: argparse.Namespace, settings: Settings) -> int:
    import anyio  # noqa: PLC0415 - as is everything that calls

    from talonone_mcp.core.catalog.served_catalog import with_settings  # noqa: PLC0415

    if options.stdin == (options.name is not None):
        raise ArgumentsError("explain takes either an OPERATION or --stdin")
    catalog = with_settings(catalogs.load(), settings)
    if options.stdin:
        anyio.run(_answer_lines, settings, catalog)
        return 0
    tool = catalog.find(options.name)  # the dispatch says what is wrong with an unknown name
    arguments = read_arguments(tool, options.pairs, None, options.arguments) if tool else {}
    answer = anyio.run(_answer, settings, catalog, options.name, arguments)
    if options.json or not sys.stdout.isatty():
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        _print(answer)
    return status_of(answer)


async def _answer(
    settings: Settings, catalog: Catalog, name: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    from talonone_mcp.server.wiring import open_dispatch  # noqa: PLC0415
    from talonone_mcp.store.local_store import local_store  # noqa: PLC0415

    try:
        async with open_dispatch(settings, catalog, local_store(settings)) as dispatch:
            return await _explained(dispatch, catalog, name, arguments)
    except CallError as error:  # no call could even be attempted
        return {"operation": name, **error.as_dict()}


async def _answer_lines(settings: Settings, catalog: Catalog) -> None:
    """Answer each line of stdin with a line on stdout, over one connection."""
    import anyio.to_thread  # noqa: PLC0415

    from talonone_mcp.server.wiring import open_dispatch  # noqa: PLC0415
    from talonone_mcp.store.local_store import local_store  # noqa: PLC0415

    read = partial(anyio.to_thread.run_sync, sys.stdin.buffer.readline, abandon_on_cancel=True)
    async with open_dispatch(settings, catalog, local_store(settings)) as dispatch:
        number = 0
        while line := await read():
            number += 1
            if line.strip():
                answer = await _answer_line(dispatch, catalog, line, number)
                print(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), flush=True)


async def _answer_line(
    dispatch: Dispatch, catalog: Catalog, line: bytes, number: int
) -> dict[str, Any]:
    name, problem = "", ""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document, problem = {}, "is not JSON"
    if isinstance(document, dict) and isinstance(document.get("operation"), str):
        name = document["operation"]
    arguments = document.get("arguments", {}) if isinstance(document, dict) else None
    if not problem and not (name and isinstance(arguments, dict)):
        problem = 'must be {"operation": NAME, "arguments": {...}}'
    elif unknown := document.keys() - {"operation", "arguments"}:
        problem = f"has unknown {', '.join(sorted(unknown))}"
    if problem:
        said = one_line(f"Line {number} {problem}.", 200)
        return {"operation": name, **CallError("invalid_arguments", said).as_dict()}
    return await _explained(dispatch, catalog, name, arguments or {})


async def _explained(
    dispatch: Dispatch, catalog: Catalog, name: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the gate says of a call, or why the call is refused."""
    from talonone_mcp.calls.caller import LOCAL, Caller  # noqa: PLC0415

    try:
        explained = await dispatch.explain(name, arguments, Caller(LOCAL, "terminal"))
        answer = explained.to_json()
    except CallError as error:
        answer = {"operation": name, **error.as_dict()}
    return dispatch.shown(catalog.find(name), answer)


def _print(answer: Mapping[str, Any]) -> None:
    from talonone_mcp.terminal import printing  # noqa: PLC0415 - slow to load, and not for scripts

    if "error" in answer:
        printing.print_error(printing.console(sys.stderr), answer["error"])
        return
    rows = [(each["kind"], _measure(each), each["what"]) for each in answer["impact"]]
    if rows:
        _print_table(("impact", "how much", "what"), rows)
    print(f"{'A person is asked' if answer['asked'] else 'Nobody is asked'}: {answer['because']}.")
    if answer["question"]:
        print(f"\n{answer['question']}")


def _measure(impact: Mapping[str, Any]) -> str:
    if impact["measure"] is None:
        return f"unknown {impact['unit']}"
    return counted(impact["measure"], impact["unit"])


def _print_table(head: tuple[str, ...], rows: Any) -> None:
    from talonone_mcp.terminal import printing  # noqa: PLC0415 - slow to load, and not for scripts

    printing.print_table(printing.console(sys.stdout), head, rows, cell_chars=_CELL_CHARS)
