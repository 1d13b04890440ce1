"""Finds what a host's file was before `install` changed it.

A text alone does not tell whether an empty object was there before, nor how it was written. The
backups do: if writing the entry into one of them gives the file as it is now, then that backup is
what the file was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from talonone_mcp.terminal.hosts.host_entry import HostFile
from talonone_mcp.terminal.hosts.host_errors import HostError
from talonone_mcp.terminal.hosts.host_files import Snapshot, backups, decode, take_snapshot
from talonone_mcp.terminal.hosts.known_hosts import Host

_NEWEST = 20  # how many backups are looked at


@dataclass(frozen=True, slots=True)
class Undone:
    """What a file is without an entry: its content, or None where there was no file."""

    content: bytes | None


def without(host: Host, snapshot: Snapshot, name: str) -> Undone:
    """Return what a file was before an entry was installed, or is without it.

    Raises:
        HostError: it is broken, or the entry cannot be taken out alone.
    """
    file = HostFile(host, snapshot.path, decode(snapshot))
    wanted = file.find(name)
    before = list(_before(host, snapshot, name))
    if wanted:
        for each in (*before, Snapshot(snapshot.path, snapshot.target, None, 0)):
            if _text(host, each).write(name, wanted) == file.text:
                return Undone(each.content)
    sections = (host.servers, "inputs")
    made = [each for each in sections if not before or not _text(host, before[0]).has(each)]
    left = file.remove(name, emptied=tuple(made))
    if not before and HostFile(host, snapshot.path, left).is_empty():
        return Undone(None)
    return Undone(left.encode())


def _before(host: Host, snapshot: Snapshot, name: str) -> Iterator[Snapshot]:
    """Yield the backups from before the entry, the newest first."""
    for path in backups(snapshot.path)[:_NEWEST]:
        try:
            backup = take_snapshot(path)
            if _text(host, backup).find(name) is None:
                yield backup
        except HostError:  # broken, or no text: it is no help
            continue


def _text(host: Host, snapshot: Snapshot) -> HostFile:
    return HostFile(host, snapshot.path, decode(snapshot))
