"""Finds, writes and removes this server's entry in the text of a host's file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talonone_mcp.core.text import one_line
from talonone_mcp.terminal.hosts import json_editor, json_reader
from talonone_mcp.terminal.hosts.host_errors import HostError, ShapeError
from talonone_mcp.terminal.hosts.host_files import split_mark
from talonone_mcp.terminal.hosts.known_hosts import Host

_INPUTS = "inputs"
_INPUT = re.compile(r"\$\{input:([^}]+)\}")
_MAX_QUOTED_CHARS = 60
_VERSIONS = ("version", "$version", "schemaVersion", "configVersion")


@dataclass(frozen=True, slots=True)
class Registration:
    """One server as a host's file has it."""

    entry: dict[str, Any]
    inputs: tuple[dict[str, Any], ...] = ()
    """Secrets that the host asks its user for; the entry refers to them."""


@dataclass(frozen=True, slots=True)
class HostText:
    """The text of a host's file, and the path that messages give."""

    host: Host
    path: Path
    text: str

    def find(self, name: str) -> Registration | None:
        """Return the server of this name, or None.

        Raises:
            HostError: the text is broken, or its structure has no place for a server.
        """
        with self._explained():
            document = self._read()
            self._check(document, name)
            entry = document.get(self.host.servers, {}).get(name)
        if entry is None:
            return None
        ids = {each for each in _INPUT.findall(str(entry)) if each.startswith(f"{name}-")}
        inputs = (each for each in _listed(document) if isinstance(each, dict))
        return Registration(entry, tuple(each for each in inputs if each.get("id") in ids))

    def has(self, section: str) -> bool:
        """Tell whether the root has this member."""
        with self._explained():
            return section in self._read()

    def is_empty(self) -> bool:
        """Tell whether the root has no members."""
        with self._explained():
            return not self._read()

    def unknown_version(self) -> str | None:
        """Return the version that the file declares, if any: this release knows of none."""
        with self._explained():
            document = self._read()
        said = (f'"{name}": {document[name]!r}' for name in _VERSIONS if name in document)
        return one_line(next(said, ""), _MAX_QUOTED_CHARS) or None

    def write(self, name: str, wanted: Registration) -> str:
        """Return the text with an entry added, or replaced.

        Raises:
            HostError: as `find`.
        """
        mark, text = split_mark(self.text)
        with self._explained():
            if self.host.format == "toml":
                from talonone_mcp.terminal.hosts import toml_editor  # noqa: PLC0415 - slow to load

                return mark + toml_editor.put(text, self.host.servers, name, wanted.entry)
            text = json_editor.put(text, self.host.servers, name, wanted.entry)
            for each in wanted.inputs:
                if each not in _listed(json_reader.read(text).value):
                    text = json_editor.add(text, _INPUTS, each)
            return mark + text

    def remove(self, name: str, *, emptied: tuple[str, ...]) -> str:
        """Return the text without an entry and the inputs that only it refers to.

        Args:
            name: of the server.
            emptied: members of the root to remove too if they are left empty.

        Raises:
            HostError: as `find`, or the entry cannot be removed alone.
        """
        found = self.find(name)
        mark, text = split_mark(self.text)
        if found is None:
            return self.text
        with self._explained():
            if self.host.format == "toml":
                from talonone_mcp.terminal.hosts import toml_editor  # noqa: PLC0415 - as above

                return mark + toml_editor.take(text, self.host.servers, name)
            text = json_editor.take(text, self.host.servers, name)
            for each in found.inputs:
                if each["id"] not in _INPUT.findall(text):
                    text = json_editor.take_item(text, _INPUTS, each)
            for section in emptied:
                text = json_editor.take_section(text, section)
            return mark + text

    def _read(self) -> dict[str, Any]:
        _, text = split_mark(self.text)
        if self.host.format == "toml":
            return tomllib.loads(text)
        document = json_reader.read(text)
        if self.host.format == "json" and document.extension is not None:
            here = json_reader.place(text, document.extension)
            raise json_reader.JsonError(
                f"a comment or a trailing comma, which JSON has not, is at {here}"
            )
        if document.blank:
            return {}
        if not isinstance(document.value, dict):
            raise ShapeError("it holds no object")
        return document.value

    def _check(self, document: dict[str, Any], name: str) -> None:
        """Refuse a structure that has no place for an entry or its inputs."""
        _, text = split_mark(self.text)
        if self.host.format != "toml":
            json_editor.check(text, self.host.servers, dict, name)
            if self.host.asks_for_secrets:
                json_editor.check(text, _INPUTS, list)
        elif not isinstance(document.get(self.host.servers, {}), dict):
            raise ShapeError(f"its {self.host.servers} is no table")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Name the file in errors, and say what to do."""
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
