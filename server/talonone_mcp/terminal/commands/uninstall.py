"""`talonone-mcp uninstall`: takes out of a host's file exactly what `install` put in."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from talonone_mcp.terminal.host_options import add_target, file_of, print_line, say, written
from talonone_mcp.terminal.hosts import launch, platform_paths
from talonone_mcp.terminal.hosts.host_entry import HostFile
from talonone_mcp.terminal.hosts.host_errors import HostError
from talonone_mcp.terminal.hosts.host_files import (
    Snapshot,
    back_up,
    decode,
    remove_empty_folders,
    replace,
    take_snapshot,
)
from talonone_mcp.terminal.hosts.known_hosts import Host
from talonone_mcp.terminal.hosts.platform_paths import Machine
from talonone_mcp.terminal.hosts.undo import without

_FAILED = 1  # the exit status


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of the terminal."""
    help_ = "take out of a host what install put in"
    parser = commands.add_parser("uninstall", help=help_, description=help_.capitalize() + ".")
    add_target(parser)
    parser.add_argument(
        "--force", action="store_true", help="take it out though it starts another program"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    here = Machine(platform_paths.system(), os.environ, Path.cwd())
    try:
        return _uninstall(options.program, options, here)
    except HostError as error:
        return say(str(error), _FAILED)


def _uninstall(host: Host, options: argparse.Namespace, here: Machine) -> int:
    snapshot = take_snapshot(file_of(host, here, project=options.project))
    found = HostFile(host, snapshot.path, decode(snapshot)).find(options.name)
    if found is None:
        print_line(f"{host.title} has no {options.name} in {snapshot.path}.")
        return 0
    if not launch.is_ours(found.entry) and not options.force:
        raise HostError(
            f"{snapshot.path} was left alone: its {options.name} starts another program."
            " --force takes it out"
        )
    before = without(host, snapshot, options.name)
    if before.content is None:
        replace(snapshot, None)
        if options.project:  # which had no folder for this host, or nothing in it
            remove_empty_folders(snapshot.target, here.here)
        print_line(f"Removed: {snapshot.target}, which held nothing else")
    else:
        _restore(snapshot, before.content)
    print_line(f"A server that {host.title} has started ends when that is started anew.")
    return 0


def _restore(snapshot: Snapshot, content: bytes) -> None:
    backup = back_up(snapshot)
    replace(snapshot, content)
    written(snapshot, backup)
