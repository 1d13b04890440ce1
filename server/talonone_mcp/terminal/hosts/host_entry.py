"""Finds, writes and removes what a host's file says of this server, in the format of that file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talonone_mcp.core.text import one_line
from talonone_mcp.terminal.hosts import json_file, jsonc, toml_file
from talonone_mcp.terminal.hosts.host_errors import HostError, ShapeError
from talonone_mcp.terminal.hosts.host_files import split_mark
from talonone_mcp.terminal.hosts.known_hosts import Host

_INPUTS = "inputs"
_INPUT = re.compile(r"\$\{input:([^}]+)\}")
_SHOWN = 60  # characters of what a file says
_VERSIONS = ("version", "$version", "schemaVersion", "configVersion")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a host's file says of one server."""

    entry: dict[str, Any]
    inputs: tuple[dict[str, Any], ...] = ()
    """What the host asks its user for, which the entry refers to."""


@dataclass(frozen=True, slots=True)
class HostFile:
    """The text of a host's file, and what to call it in a message."""

    host: Host
    path: Path
    text: str

    def find(self, name: str) -> Wanted | None:
        """Return what it says of a server.

        Raises:
            HostError: it is broken, or of a shape in which no server has a place.
        """
        with self._explained():
            document = self._read()
            self._check(document, name)
            entry = document.get(self.host.servers, {}).get(name)
        if entry is None:
            return None
        ids = {each for each in _INPUT.findall(str(entry)) if each.startswith(f"{name}-")}
        inputs = (each for each in _listed(document) if isinstance(each, dict))
        return Wanted(entry, tuple(each for each in inputs if each.get("id") in ids))

    def has(self, section: str) -> bool:
        """Tell whether its root has a member."""
        with self._explained():
            return section in self._read()

    def is_empty(self) -> bool:
        """Tell whether its root has none."""
        with self._explained():
            return not self._read()

    def unknown_version(self) -> str | None:
        """Return how the file says that it is of a version that is not known here."""
        with self._explained():
            document = self._read()
        said = (f'"{name}": {document[name]!r}' for name in _VERSIONS if name in document)
        return one_line(next(said, ""), _SHOWN) or None

    def write(self, name: str, wanted: Wanted) -> str:
        """Return the text with an entry, new or in place of the old one.

        Raises:
            HostError: as `find`.
        """
        mark, text = split_mark(self.text)
        with self._explained():
            if self.host.format == "toml":
                return mark + toml_file.put(text, self.host.servers, name, wanted.entry)
            text = json_file.put(text, self.host.servers, name, wanted.entry)
            for each in wanted.inputs:
                if each not in _listed(jsonc.read(text).value):
                    text = json_file.add(text, _INPUTS, each)
            return mark + text

    def remove(self, name: str, *, emptied: tuple[str, ...]) -> str:
        """Return the text without an entry and what it alone refers to.

        Args:
            name: of the server.
            emptied: members of the root that go too, if nothing is left in them.

        Raises:
            HostError: as `find`, or the entry cannot be taken out alone.
        """
        found = self.find(name)
        mark, text = split_mark(self.text)
        if found is None:
            return self.text
        with self._explained():
            if self.host.format == "toml":
                return mark + toml_file.take(text, self.host.servers, name)
            text = json_file.take(text, self.host.servers, name)
            for each in found.inputs:
                if each["id"] not in _INPUT.findall(text):
                    text = json_file.take_item(text, _INPUTS, each)
            for section in emptied:
                text = json_file.take_section(text, section)
            return mark + text

    def _read(self) -> dict[str, Any]:
        _, text = split_mark(self.text)
        if self.host.format == "toml":
            return tomllib.loads(text)
        document = jsonc.read(text)
        if self.host.format == "json" and document.extension is not None:
            here = jsonc.place(text, document.extension)
            raise jsonc.JsonError(
                f"a comment or a trailing comma, which JSON has not, is at {here}"
            )
        if document.blank:
            return {}
        if not isinstance(document.value, dict):
            raise ShapeError("it holds no object")
        return document.value

    def _check(self, document: dict[str, Any], name: str) -> None:
        """Refuse a shape in which an entry, or what it refers to, has no place."""
        _, text = split_mark(self.text)
        if self.host.format != "toml":
            json_file.check(text, self.host.servers, dict, name)
            if self.host.asks_for_secrets:
                json_file.check(text, _INPUTS, list)
        elif not isinstance(document.get(self.host.servers, {}), dict):
            raise ShapeError(f"its {self.host.servers} is no table")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of which file, and what to do."""
        try:
            yield
        except ShapeError as error:
            raise HostError(
                f"{self.path} was left alone: {error}. If {self.host.title} wrote it so, --print"
                " shows the entry, to be put there by hand"
            ) from None
        except (ValueError, RecursionError) as error:
            said = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise HostError(
                f"{self.path} is broken, and was left alone: {said}. Correct it and run this again"
            ) from None


def _listed(document: dict[str, Any]) -> list[Any]:
    inputs = document.get(_INPUTS, [])
    return inputs if isinstance(inputs, list) else []
