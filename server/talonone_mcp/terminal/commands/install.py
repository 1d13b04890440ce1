"""`talonone-mcp install`: add this server to a host's configuration file."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import replace as replace_text
from pathlib import Path
from typing import Any

from talonone_mcp.core.settings import Settings, user_file
from talonone_mcp.terminal.host_options import NAME, add_target, file_of, written
from talonone_mcp.terminal.hosts import start_command
from talonone_mcp.terminal.hosts.host_errors import HostError
from talonone_mcp.terminal.hosts.host_files import Snapshot, back_up, decode, replace, take_snapshot
from talonone_mcp.terminal.hosts.host_text import HostText, Registration
from talonone_mcp.terminal.hosts.known_hosts import Host
from talonone_mcp.terminal.hosts.platform_paths import Machine, this_machine
from talonone_mcp.terminal.hosts.server_entry import EntryPlan, gone, merged, plan_entry, words
from talonone_mcp.terminal.hosts.undo import without
from talonone_mcp.terminal.serve_options import add_serve_options
from talonone_mcp.terminal.streams import FAILED, USAGE, print_line, say

_OWN = (
    "program",
    "name",
    "project",
    "print",
    "force",
    "run",
)  # options that are not flags of serve
_OWN_SERVER = ("transport", "host", "port")  # flags for a server that the user starts


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    help_ = "tell a host, such as Claude or Cursor, to start this server"
    parser = commands.add_parser(
        "install",
        help=help_,
        description=f"{help_[0].upper()}{help_[1:]}. Changes the host's configuration file;"
        " the old one is kept beside it.",
        epilog="The host starts the server with the flags of serve that you give, and with the"
        " settings in your environment that are not secret.",
        conflict_handler="resolve",
    )
    add_target(parser)
    parser.add_argument("--print", action="store_true", help="show the entry; change nothing")
    parser.add_argument(
        "--force",
        action="store_true",
        help="write it even if the host is not found or another server has this name",
    )
    add_serve_options(parser)
    for each in _OWN_SERVER:
        parser.add_argument(f"--{each}", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, machine: Machine | None = None) -> int:
    """Run the command on a machine, this one unless another is given; return the exit status."""
    flags = {key: value for key, value in vars(options).items() if key not in _OWN}
    if any(flags.pop(each, None) is not None for each in _OWN_SERVER):
        return say(
            "--transport, --host and --port are for a server that you start yourself;"
            f" {options.program.title} starts its own",
            USAGE,
        )
    given = {key: value for key, value in flags.items() if value is not None}
    if wrong := _wrong_tools(given):
        return say(wrong, USAGE)
    machine = machine or this_machine()
    try:
        return _install(options, machine, given)
    except HostError as error:
        return say(str(error), FAILED)


def _wrong_tools(flags: dict[str, Any]) -> str:
    """Return why the chosen tools cannot be listed; "" if they can."""
    if flags.keys().isdisjoint(("profile", "toolsets", "tools")):
        return ""
    from talonone_mcp.core import catalog  # noqa: PLC0415 - MCP's types are slow to load
    from talonone_mcp.surface.tool_list import SurfaceError, surface  # noqa: PLC0415

    try:
        surface(catalog.load(), Settings.model_construct(**flags))
    except SurfaceError as error:
        return str(error)
    return ""


def _install(options: argparse.Namespace, machine: Machine, flags: dict[str, Any]) -> int:
    host: Host = options.program
    path = file_of(host, machine, project=options.project)
    made = plan_entry(host, options.name, start_command.command(), flags, machine.environment)
    if options.print:
        print_entry(HostText(host, path, ""), options.name, made.wanted)
    else:
        if not options.project and not options.force:
            _check_installed(host, machine, path)
        snapshot = take_snapshot(path, shared=options.project)
        file = HostText(host, path, decode(snapshot))
        wanted = _wanted(file, options, made.wanted)
        if file.find(options.name) == wanted:
            print_line(f"{host.title} has {options.name} already; nothing to change.")
        else:
            _write(snapshot, file, options, wanted)
    _tell(host, options, made, machine)
    return 0


def _check_installed(host: Host, machine: Machine, path: Path) -> None:
    """Refuse to create the file of a host that is not installed.

    Raises:
        HostError: neither its file nor its folder nor its command exists.
    """
    folders = [machine.resolve(each) for each in host.signs] if host.signs else [path.parent]
    signs = [path, *(each for each in folders if each)]
    if any(os.path.lexists(each) for each in signs) or any(map(machine.has_command, host.commands)):
        return
    looked = [str(each) for each in signs] + [f"the command {each}" for each in host.commands]
    raise HostError(
        f"{host.title} is not installed here: there is neither {', nor '.join(looked)}."
        " --force writes the file all the same; --print shows the entry"
    )


def _wanted(file: HostText, options: argparse.Namespace, new: Registration) -> Registration:
    """Return what to write, with what the host or its user added to the entry.

    Raises:
        HostError: another server has this name, or the file declares a version.
    """
    version = file.unknown_version()
    if version and not options.force:
        raise HostError(
            f"{file.path} was left alone: it says {version}, and this release knows of no versions."
            " --print shows the entry; --force writes it"
        )
    old = file.find(options.name)
    if old is None:
        return new
    if start_command.is_ours(old.entry):
        return Registration(merged(file.host, old.entry, new.entry), new.inputs)
    if options.force:
        return new
    raise HostError(
        f"{file.path} was left alone: it has another server called {options.name}."
        " --name NAME adds this one beside it; --force replaces it"
    )


def _write(
    snapshot: Snapshot, file: HostText, options: argparse.Namespace, wanted: Registration
) -> None:
    old = file.find(options.name)
    if old and old.inputs != wanted.inputs:  # the inputs of the old one go with it
        before = without(file.host, snapshot, options.name).content or b""
        file = replace_text(file, text=before.decode())
    text = file.write(options.name, wanted)
    backup = back_up(snapshot)
    replace(snapshot, text.encode())
    written(snapshot, backup)
    lost = gone(old.entry, {"env": {}, **wanted.entry}) if old else []
    if lost:
        print_line(f"No longer set there: {', '.join(lost)}.")


def print_entry(file: HostText, name: str, wanted: Registration) -> None:
    """Print the entry as a file of its own, and the path of the host's file on stderr."""
    print(f"{file.path}:", file=sys.stderr, flush=True)  # noqa: T201 - stdout can be piped
    print_line(file.write(name, wanted).rstrip("\n"))


# --- What a person should know -------------------------------------------------------------------


def _tell(host: Host, options: argparse.Namespace, made: EntryPlan, machine: Machine) -> None:
    command = [made.wanted.entry["command"], *made.wanted.entry["args"]]
    if not options.print:
        print_line(f"{host.title} starts: {shlex.join(command)}")
        if options.project and host.project_note:
            print_line(host.project_note)
        print_line(host.start.format(name=options.name))
    if made.left_out:
        _tell_to_keep(made.left_out, options, machine)
    if made.missing:
        lines = "\n  ".join(made.missing.splitlines())
        say(f"the server will not start until this is fixed, here or in {user_file()}:\n  {lines}")


def _tell_to_keep(secrets: Iterable[str], options: argparse.Namespace, machine: Machine) -> None:
    """Say how to put secrets into files of their own and install again."""
    say(
        f"{', '.join(secrets)}: secrets are never written into a host's file. To keep them in files"
        " that only you can read, and name those files there:"
    )
    folder = user_file().parent
    again = shlex.join([*start_command.command(), *_command_line(options)])
    files = {variable: folder / variable.removeprefix("TALONONE_").lower() for variable in secrets}
    if machine.system == "windows":
        lines = [f'New-Item -Force -ItemType Directory "{folder}" | Out-Null']
        for variable, file in files.items():
            lines.append(f'Set-Content -NoNewline "{file}" $env:{variable}')
            lines.append(f'$env:{variable}_FILE = "{file}"')
        lines.append(f"& {again}")
    else:
        quoted = {variable: shlex.quote(str(file)) for variable, file in files.items()}
        lines = [f"mkdir -p {shlex.quote(str(folder))}"]
        lines += [f"(umask 077; printenv {each} > {file})" for each, file in quoted.items()]
        named = " ".join(f"{each}_FILE={file}" for each, file in quoted.items())
        lines.append(f"{named} {again}")
    print("\n".join(f"  {line}" for line in lines), file=sys.stderr)  # noqa: T201 - not on stdout


def _command_line(options: argparse.Namespace) -> list[str]:
    """Return the arguments of this command line."""
    flags = {key: value for key, value in vars(options).items() if key not in _OWN}
    named = ["--name", options.name] if options.name != NAME else []
    switches = [f"--{each}" for each in ("project", "force") if getattr(options, each)]
    return ["install", options.program.name, *named, *switches, *words(flags)]
