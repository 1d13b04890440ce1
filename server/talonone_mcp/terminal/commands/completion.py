"""`talonone-mcp completion`: have a shell complete commands, names, arguments and values.

The printed script runs this command at each Tab. Everything comes from the catalog; nothing is sent
anywhere.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import argcomplete
from argcomplete.shell_integration import shellcode

from talonone_mcp.core import catalog as catalogs

_SHELLS = ("bash", "zsh", "fish")
_COMPLETED = {"call", "policy", "explain", "tools"}  # the commands that take names of the catalog
_PLACES = {
    "bash": "echo 'eval \"$(talonone-mcp completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(talonone-mcp completion zsh)\"' >> ~/.zshrc   (after compinit)",
    "fish": "talonone-mcp completion fish > ~/.config/fish/completions/talonone-mcp.fish",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    said = "have a shell complete what is typed"
    lines = "\n".join(f"  {place}" for place in _PLACES.values())
    completion = commands.add_parser(
        "completion",
        help=said,
        description="Print the script that has a shell complete what is typed. To install it:\n"
        f"{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    completion.add_argument("shell", choices=_SHELLS)
    completion.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    sys.stdout.write(shellcode(["talonone-mcp"], shell=options.shell))
    return 0


def complete(parser_of: Callable[[str], argparse.ArgumentParser]) -> None:
    """Tell a shell what could be typed next, and end the process.

    Args:
        parser_of: takes the name of a command and returns the parser that knows it.
    """
    words = os.environ.get("COMP_LINE", "").split()
    parser = parser_of(words[1] if len(words) > 1 else "")
    for action, completer in _completers(parser):
        setattr(action, "completer", completer)  # noqa: B010 - as argcomplete wants it
    argcomplete.autocomplete(parser, always_complete_options=False)


def _completers(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[argparse.Action, Callable[..., list[str]]]]:
    """Yield the arguments of all commands whose values are in the catalog."""
    known: Mapping[str, Callable[..., list[str]]] = {
        "name": _names,
        "names": _names,
        "pairs": _pairs,
        "toolset": _toolsets,
    }
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name in _COMPLETED & action.choices.keys():
                yield from _completers(action.choices[name])
        elif action.dest in known:
            yield action, known[action.dest]


def _names(**_: Any) -> list[str]:
    return [tool.name for tool in catalogs.load().tools]


def _toolsets(**_: Any) -> list[str]:
    return [*catalogs.load().toolsets]


def _pairs(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Return the arguments that are still missing, or the values that one of them can have."""
    tool = catalogs.load().find(parsed_args.name)
    if tool is None:
        return []
    schemas = {**tool.input_schema["properties"], **tool.reserved}
    key, equals, _value = prefix.partition("=")
    if equals:
        schema = schemas.get(key, {})
        values = ["true", "false"] if schema.get("type") == "boolean" else schema.get("enum", [])
        return [f"{key}={value}" for value in values]
    given = {pair.partition("=")[0] for pair in parsed_args.pairs}
    return [f"{name}=" for name in schemas if name not in given]
