"""Compiles one entry of `tools/*.yaml`: references resolved, arguments laid side by side.

An entry is an operation, whose arguments are in a request's path, query, headers and body; or a
workflow, which has no request, and whose `arguments` stand together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.core.catalog.model import CatalogError

_ENGINES_OWN = ("listed_by", "explode", "dotted", "secret", "as")  # of an argument; no JSON Schema
_AS_THEY_ARE = ("check", "status", "aliases", "view")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ONE_CSV = {
    "must": {"oneOf": [{"required": ["csv"]}, {"required": ["csvPath"]}]},
    "say": "give the CSV either as csv or as csvPath",
}
_FETCH_ALL = {"fetchAll": {"type": "integer", "minimum": 1, "maximum": 10_000}}
_SHOWN = {
    "fields": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    "maxTokens": {"type": "integer", "minimum": 200, "maximum": 100_000},
}
_REPEATABLE = ("PUT", "DELETE")  # RFC 9110 section 9.2.2; some of upstream's GETs create


class Entry:
    """One entry while it is compiled."""

    def __init__(
        self, entry: dict[str, Any], document: dict[str, Any], shared: Mapping[str, Any]
    ) -> None:
        """Look at one entry.

        Args:
            entry: the entry as the file has it.
            document: the file, for what the entry leaves to its toolset.
            shared: the schemas of `_shared.yaml` by name.
        """
        self._entry = entry
        self._document = document
        self._shared = shared
        self._arguments = dict(self._all_arguments())

    def compiled(self) -> dict[str, Any]:
        """Return the entry in its JSON form, without what is empty.

        Raises:
            CatalogError: the entry contradicts itself.
        """
        record = self._tool() | (self._request() if "http" in self._entry else self._calls())
        record |= {key: self._entry[key] for key in _AS_THEY_ARE if key in self._entry}
        empty = {key for key, value in record.items() if value in (None, [], {}, "")}
        if "body" in self._entry:  # an empty one says that there is a body, of all that is left
            empty.discard("body")
        return {key: value for key, value in record.items() if key not in empty}

    def _tool(self) -> dict[str, Any]:
        """Return what operations and workflows have in common."""
        entry = self._entry
        return {
            "name": entry["name"],
            "title": entry["title"],
            "description": self._description(),
            "toolset": self._document["toolset"],
            "risk": entry["risk"],
            "input_schema": self._input_schema(),
            "secrets": self._those_with("secret", wanted=True),
            "confirm": self._confirm(),
            "rules": list(self._rules()),
            "idempotent": entry.get("idempotent", entry["risk"] == "read"),
            "keywords": entry.get("keywords", "").strip(),
        }

    def _calls(self) -> dict[str, Any]:
        """Return what a workflow has alone."""
        return {key: self._entry[key] for key in ("apis", "uses", "answer")}

    def _request(self) -> dict[str, Any]:
        """Return what an operation has alone."""
        entry = self._entry
        method, path = entry["http"].split(" ", 1)
        if set(_PLACEHOLDER.findall(path)) != set(entry.get("path", {})):
            raise CatalogError(f"{entry['name']}: the placeholders of {path} are not its path")
        repeatable = entry["risk"] == "read" or method in _REPEATABLE
        return {
            "api": entry.get("api", self._document["api"]),
            "method": method,
            "path": path,
            "reserved": self._reserved(),
            "query": list(entry.get("query", {})),
            "joined": self._those_with("explode", wanted=False),
            "dotted": self._those_with("dotted", wanted=True),
            "headers": self._values_of("as"),
            "listed_by": self._values_of("listed_by"),
            "body": self._body(),
            "answer": entry.get("answer", "json"),
            "idempotent": entry.get("idempotent", repeatable),
            "operation_id": entry.get("operationId", ""),
        }

    def _description(self) -> str:
        """Add to an outdated operation's description what to use in its place."""
        description: str = self._entry["description"].strip()
        status = self._entry.get("status", "current")
        if status == "current":
            return description
        instead = self._entry["instead"]
        use = f"use {instead}" if re.fullmatch(r"[a-z_]+", instead) else instead
        what = "Deprecated" if status == "deprecated" else "Removed from newer deployments"
        return f"{description} {what}: {use}."

    def _confirm(self) -> dict[str, Any] | None:
        confirm = self._entry.get("confirm")
        if confirm is None:
            return None
        # What a workflow is about to do, it works out by itself.
        own = {} if "http" in self._entry else {"preview": self._entry["name"]}
        return own | {key: value for key, value in confirm.items() if key != "always"}

    def _body(self) -> dict[str, Any] | None:
        body = self._entry.get("body")
        if body is None:
            return None
        kept = ("whole", "file", "columns", "credentials")
        return {key: body[key] for key in kept if key in body}

    def _reserved(self) -> dict[str, Any]:
        is_read = self._entry["risk"] == "read" and self._entry.get("answer") != "csv"
        return (_FETCH_ALL if self._is_list else {}) | (_SHOWN if is_read else {})

    @property
    def _is_list(self) -> bool:
        """Whether it is read page by page; what is called get_ answers with one thing."""
        paged = {"pageSize", "skip"} <= self._entry.get("query", {}).keys()
        return paged and not self._entry["name"].startswith("get_")

    # --- Arguments -----------------------------------------------------------------------------

    def _all_arguments(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every argument with its own reference resolved, those of the path first."""
        entry, seen = self._entry, set()
        body = entry.get("body", {})
        in_body = _csv_arguments(body["columns"]) if "file" in body else body.get("properties", {})
        groups = (entry.get(key, {}) for key in ("path", "query", "header", "arguments"))
        for group in (*groups, in_body):
            for name, argument in group.items():
                if name in seen:
                    raise CatalogError(f"{entry['name']}: argument {name} stands twice")
                seen.add(name)
                yield name, self._dereferenced(argument)

    def _those_with(self, key: str, *, wanted: bool) -> list[str]:
        return [name for name, node in self._arguments.items() if node.get(key) is wanted]

    def _values_of(self, key: str) -> dict[str, str]:
        return {name: node[key] for name, node in self._arguments.items() if key in node}

    def _input_schema(self) -> dict[str, Any]:
        entry = self._entry
        required = [*entry.get("path", {}), *entry.get("required", [])]
        required += entry.get("body", {}).get("required", [])
        if unknown := set(required) - set(self._arguments):
            raise CatalogError(f"{entry['name']}: requires unknown {sorted(unknown)}")
        properties = {name: self._resolved(node) for name, node in self._arguments.items()}
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        return schema | {"additionalProperties": False}

    def _dereferenced(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            name = node["$ref"]
            if name not in self._shared:
                raise CatalogError(f"{self._entry['name']}: _shared.yaml has no {name}")
            node = self._shared[name] | {key: node[key] for key in node if key != "$ref"}
        return node

    def _resolved(self, node: Any) -> Any:
        """Resolve a schema at every depth and take out what is the engine's own."""
        if isinstance(node, list):
            return [self._resolved(item) for item in node]
        if not isinstance(node, dict):
            return node
        node = self._dereferenced(node)
        resolved = {
            key: self._resolved_properties(value) if key == "properties" else self._resolved(value)
            for key, value in node.items()
            if key not in _ENGINES_OWN
        }
        if node.get("type") == "object" and "properties" in node:
            # Upstream ignores a misspelt property in silence; a model should hear of it.
            resolved.setdefault("additionalProperties", False)
        return resolved

    def _resolved_properties(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Resolve a map of properties, whose keys are names even where they look like ours."""
        return {name: self._resolved(node) for name, node in properties.items()}

    def _rules(self) -> Iterator[dict[str, Any]]:
        if "csv" in self._arguments:
            yield _ONE_CSV
        for entry in self._entry.get("rules", []):
            rule = self._dereferenced(entry)
            for path in rule.get("order", []):
                if path.partition(".")[0] not in self._arguments:
                    raise CatalogError(f"{self._entry['name']}: a rule names unknown {path}")
            yield rule


def _csv_arguments(columns: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the two arguments of an import, of which a call gives one."""
    either = " or ".join(columns.get("one_of", []))
    required = ", ".join([either, *columns.get("required", [])]).removeprefix(", ")
    optional = ", ".join(columns.get("optional", []))
    said = f"Columns: {required}; optional {optional}." if optional else f"Columns: {required}."
    return {
        "csv": {"type": "string", "description": f"CSV text. {said}"},
        "csvPath": {"type": "string", "description": "Or a file in the import folder."},
    }
