"""`talonone-mcp uninstall`: remove from a host's file exactly what `install` added."""

from __future__ import annotations

import argparse

from talonone_mcp.terminal.host_options import add_target, file_of, written
from talonone_mcp.terminal.hosts import start_command
from talonone_mcp.terminal.hosts.host_errors import HostError
from talonone_mcp.terminal.hosts.host_files import (
    Snapshot,
    back_up,
    decode,
    remove_empty_folders,
    replace,
    take_snapshot,
)
from talonone_mcp.terminal.hosts.host_text import HostText
from talonone_mcp.terminal.hosts.known_hosts import Host
from talonone_mcp.terminal.hosts.platform_paths import Machine, this_machine
from talonone_mcp.terminal.hosts.undo import without
from talonone_mcp.terminal.streams import FAILED, print_line, say


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    help_ = "take out of a host what install put in"
    parser = commands.add_parser("uninstall", help=help_, description=help_.capitalize() + ".")
    add_target(parser)
    parser.add_argument(
        "--force", action="store_true", help="take it out even if it starts another program"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, machine: Machine | None = None) -> int:
    """Run the command on a machine, this one unless another is given; return the exit status."""
    machine = machine or this_machine()
    try:
        return _uninstall(options.program, options, machine)
    except HostError as error:
        return say(str(error), FAILED)


def _uninstall(host: Host, options: argparse.Namespace, machine: Machine) -> int:
    snapshot = take_snapshot(file_of(host, machine, project=options.project))
    found = HostText(host, snapshot.path, decode(snapshot)).find(options.name)
    if found is None:
        print_line(f"{host.title} has no {options.name} in {snapshot.path}.")
        return 0
    if not start_command.is_ours(found.entry) and not options.force:
        raise HostError(
            f"{snapshot.path} was left alone: its {options.name} starts another program."
            " --force takes it out"
        )
    before = without(host, snapshot, options.name)
    if before.content is None:
        replace(snapshot, None)
        if options.project:  # the project may not have had a folder for this host
            remove_empty_folders(snapshot.target, machine.folder)
        print_line(f"Removed: {snapshot.target}, which held nothing else")
    else:
        _restore(snapshot, before.content)
    print_line(f"A server that {host.title} already started runs until {host.title} restarts.")
    return 0


def _restore(snapshot: Snapshot, content: bytes) -> None:
    backup = back_up(snapshot)
    replace(snapshot, content)
    written(snapshot, backup)
