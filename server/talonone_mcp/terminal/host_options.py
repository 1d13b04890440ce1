"""What `install` and `uninstall` share: which entry of which file is meant, and the answer."""

from __future__ import annotations

import argparse
import difflib
import re
from pathlib import Path

from talonone_mcp.terminal.hosts.host_errors import HostError
from talonone_mcp.terminal.hosts.host_files import Snapshot
from talonone_mcp.terminal.hosts.known_hosts import HOSTS, Host
from talonone_mcp.terminal.hosts.platform_paths import Machine
from talonone_mcp.terminal.streams import print_line

NAME = "talonone"  # of the server by default
_SERVER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the host, the file and the entry."""
    parser.add_argument("program", metavar="HOST", type=_host, help=", ".join(HOSTS))
    parser.add_argument(
        "--name",
        type=_server_name,
        default=NAME,
        help="name of the server there; default: talonone",
    )
    parser.add_argument(
        "--project",
        action="store_true",
        help="use the file of the project in this folder instead of the user's own",
    )


def _host(text: str) -> Host:
    if text in HOSTS:
        return HOSTS[text]
    near = difflib.get_close_matches(text.lower(), HOSTS, n=1, cutoff=0.5)
    said = f"did you mean {near[0]}? " if near else ""
    raise argparse.ArgumentTypeError(f"there is no host {text!r}; {said}Known: {', '.join(HOSTS)}")


def _server_name(text: str) -> str:
    if not _SERVER_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not up to 64 letters, digits, _ and -")
    return text


def file_of(host: Host, machine: Machine, *, project: bool) -> Path:
    """Return the path of a host's file.

    Raises:
        HostError: the host has no file for projects.
    """
    if not project:
        return machine.place(host.files[machine.system])
    if host.project is None:
        raise HostError(f"{host.title} has no project files; leave out --project")
    return machine.folder / host.project


def written(snapshot: Snapshot, backup: Path | None) -> None:
    """Say which file was written, and where the old one is."""
    through = f", where {snapshot.path} leads" if snapshot.target != snapshot.path else ""
    print_line(f"Written: {snapshot.target}{through}")
    if backup:
        print_line(f"As it was: {backup}")
