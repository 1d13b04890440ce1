"""Reads `tools/*.yaml` and turns each entry into the form that the engine loads.

The compiled form is plain JSON. It is made when a wheel is built, and at start in a checkout.
What an entry must look like is in `tools/catalog.schema.json`; here is only what that schema
cannot see: references, and entries that contradict one another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from talonone_mcp.catalog.model import CatalogError

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ENGINES_OWN = ("listed_by", "explode")  # keys of an argument that are no JSON Schema
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def compile_catalog(folder: Path) -> dict[str, Any]:
    """Compile every toolset file in `folder`.

    Raises:
        CatalogError: a file is no toolset, a reference leads nowhere, a name stands twice, or a
            path's placeholders and its parameters differ.
    """
    shared = _read(folder / "_shared.yaml")
    toolsets: list[dict[str, Any]] = []
    operations: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("[!_]*.yaml")):
        document = _read(path)
        try:
            toolsets.append(
                {
                    "name": document["toolset"],
                    "title": document["title"],
                    "description": document["description"],
                }
            )
            compiled = [_Entry(entry, document, shared).compiled() for entry in document["tools"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise CatalogError(f"{path.name}: {type(error).__name__} {error}") from error
        for operation in compiled:
            if operation["name"] in operations:
                raise CatalogError(f"{operation['name']} stands twice in the catalog")
            operations[operation["name"]] = operation
    for operation in operations.values():
        _check_references(operation, operations)
    return {"toolsets": toolsets, "operations": list(operations.values())}


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            # A safe loader: plain data only, no Python objects.
            document: dict[str, Any] = yaml.load(file, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise CatalogError(f"{path.name}: {error}") from error
    return document


class _Entry:
    """One entry while it is compiled: its references resolved, its arguments laid side by side."""

    def __init__(
        self, entry: dict[str, Any], document: dict[str, Any], shared: Mapping[str, Any]
    ) -> None:
        self.entry = entry
        self.document = document
        self.shared = shared
        self.listed_by: dict[str, str] = {}
        self.joined: list[str] = []

    def compiled(self) -> dict[str, Any]:
        entry = self.entry
        method, path = entry["http"].split(" ", 1)
        body = entry.get("body")
        operation = {
            "name": entry["name"],
            "title": entry["title"],
            "description": entry["description"].strip(),
            "toolset": self.document["toolset"],
            "api": entry.get("api", self.document["api"]),
            "method": method,
            "path": path,
            "risk": entry["risk"],
            "input_schema": self._input_schema(path),
            "query": list(entry.get("query", {})),
            "joined": self.joined,
            "body": None if body is None else {key: body.get(key) for key in ("whole", "file")},
            "answer": entry.get("answer", "json"),
            "confirm": self._confirm(),
            "check": entry.get("check"),
            "listed_by": self.listed_by,
            "keywords": entry.get("keywords", "").strip(),
        }
        return {key: value for key, value in operation.items() if value not in (None, [], {}, "")}

    def _confirm(self) -> dict[str, Any] | None:
        confirm = self.entry.get("confirm")
        if confirm is None:
            return None
        return {key: confirm[key] for key in ("ask", "when", "preview") if key in confirm}

    def _input_schema(self, path: str) -> dict[str, Any]:
        in_path = self.entry.get("path", {})
        if set(_PLACEHOLDER.findall(path)) != set(in_path):
            raise CatalogError(f"{self.entry['name']}: the placeholders of {path} are not its path")
        body = self.entry.get("body", {})
        properties: dict[str, Any] = {}
        for group in (in_path, self.entry.get("query", {}), body.get("properties", {})):
            for name, argument in group.items():
                if name in properties:
                    raise CatalogError(f"{self.entry['name']}: argument {name} stands twice")
                properties[name] = self._argument(name, argument)
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        required = [*in_path, *self.entry.get("required", []), *body.get("required", [])]
        if unknown := set(required) - set(properties):
            raise CatalogError(f"{self.entry['name']}: requires unknown {sorted(unknown)}")
        if required:
            schema["required"] = required
        return schema | {"additionalProperties": False}

    def _argument(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        """Resolve one argument and take out what is the engine's and not the client's to see."""
        own = self._dereferenced(schema)
        if "listed_by" in own:
            self.listed_by[name] = own["listed_by"]
        if not own.get("explode", True):
            self.joined.append(name)
        resolved: dict[str, Any] = self._resolved(own)
        return resolved

    def _dereferenced(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            name = node["$ref"]
            if name not in self.shared:
                raise CatalogError(f"{self.entry['name']}: _shared.yaml has no {name}")
            node = self.shared[name] | {key: node[key] for key in node if key != "$ref"}
        return node

    def _resolved(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._resolved(item) for item in node]
        if not isinstance(node, dict):
            return node
        node = self._dereferenced(node)
        resolved = {k: self._resolved(v) for k, v in node.items() if k not in _ENGINES_OWN}
        if node.get("type") == "object" and "properties" in node:
            # Upstream ignores a misspelt property in silence; a model should hear of it.
            resolved.setdefault("additionalProperties", False)
        return resolved


def _check_references(operation: dict[str, Any], operations: Mapping[str, Any]) -> None:
    preview = operation.get("confirm", {}).get("preview")
    named = [operation.get("check"), preview, *operation.get("listed_by", {}).values()]
    for name in filter(None, named):
        if name not in operations:
            raise CatalogError(f"{operation['name']} refers to {name}, which the catalog lacks")
        if operations[name]["risk"] != "read":
            raise CatalogError(f"{operation['name']} refers to {name}, which is not a read")
    if preview:
        needed = operations[preview]["input_schema"].get("required", [])
        if missing := set(needed) - set(operation["input_schema"].get("required", [])):
            raise CatalogError(f"{operation['name']} cannot be previewed without {sorted(missing)}")
