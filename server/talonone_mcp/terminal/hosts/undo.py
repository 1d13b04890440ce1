"""Finds what a host's file was before `install` changed it.

The text alone does not show whether an empty object was there before, or how it was formatted.
The backups do: if writing the entry into a backup gives the file as it is now, that backup is what
the file was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from talonone_mcp.terminal.hosts.host_errors import HostError
from talonone_mcp.terminal.hosts.host_files import Snapshot, backups, decode, take_snapshot
from talonone_mcp.terminal.hosts.host_text import HostText
from talonone_mcp.terminal.hosts.known_hosts import Host

_MAX_BACKUPS = 20  # that are tried, newest first


@dataclass(frozen=True, slots=True)
class Undone:
    """What a file is without an entry: its content, or None if there was no file."""

    content: bytes | None


def without(host: Host, snapshot: Snapshot, name: str) -> Undone:
    """Return the file as it was before an entry was installed, or else without the entry.

    Raises:
        HostError: the file is broken, or the entry cannot be removed alone.
    """
    file = HostText(host, snapshot.path, decode(snapshot))
    wanted = file.find(name)
    before = list(_before(host, snapshot, name))
    if wanted:
        for each in (*before, Snapshot(snapshot.path, snapshot.target, None, 0)):
            if _text(host, each).write(name, wanted) == file.text:
                return Undone(each.content)
    sections = (host.servers, "inputs")
    made = [each for each in sections if not before or not _text(host, before[0]).has(each)]
    left = file.remove(name, emptied=tuple(made))
    if not before and HostText(host, snapshot.path, left).is_empty():
        return Undone(None)
    return Undone(left.encode())


def _before(host: Host, snapshot: Snapshot, name: str) -> Iterator[Snapshot]:
    """Yield the backups that lack the entry, newest first."""
    for path in backups(snapshot.path)[:_MAX_BACKUPS]:
        try:
            backup = take_snapshot(path)
            if _text(host, backup).find(name) is None:
                yield backup
        except HostError:  # a broken backup is no help
            continue


def _text(host: Host, snapshot: Snapshot) -> HostText:
    return HostText(host, snapshot.path, decode(snapshot))
