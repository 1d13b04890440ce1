"""Compile one entry of `tools/*.yaml`: resolve its references and merge its arguments.

An operation has arguments in a request's path, query, headers and body. A workflow has no request;
its arguments are all under `arguments`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.core.catalog.model import CatalogError

# Keys of an argument that are ours, not JSON Schema's.
_OWN_KEYWORDS = ("listed_by", "explode", "dotted", "secret", "as")
_COPIED_KEYS = (
    "check", "status", "aliases", "view", "hidden", "impact", "before", "refused_if",
    "keeps_items",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_EITHER_CSV = {
    "must": {"oneOf": [{"required": ["csv"]}, {"required": ["csvPath"]}]},
    "say": "give the CSV either as csv or as csvPath",
}
_EITHER_CSV_OR_ITEMS = {
    "must": {
        "oneOf": [
            {"required": ["csv"]},
            {"required": ["csvPath"]},
            {"anyOf": [{"required": ["add"]}, {"required": ["remove"]}]},
        ]
    },
    "say": "give the CSV either as csv or as csvPath, or give the items to add and remove",
}
_FETCH_ALL = {"fetchAll": {"type": "integer", "minimum": 1, "maximum": 10_000}}
_TEXTS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "minItems": 1,
    "uniqueItems": True,
}
_UPDATE = {
    "clear": _TEXTS,
    "add": {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}},
    "remove": {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}},
    "replace": {"const": True},
}
_ITEMS = {"add": _TEXTS, "remove": _TEXTS}
_SHAPING = {
    "fields": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    "maxTokens": {"type": "integer", "minimum": 200, "maximum": 100_000},
}
# RFC 9110, section 9.2.2. GET is missing because some of upstream's GETs create things.
_IDEMPOTENT_METHODS = ("PUT", "DELETE")


class EntryCompiler:
    """An entry being compiled."""

    def __init__(
        self, entry: dict[str, Any], document: dict[str, Any], shared: Mapping[str, Any]
    ) -> None:
        """Wrap an entry and resolve its arguments.

        Args:
            entry: the entry as parsed from the file.
            document: the whole file, which holds the toolset's defaults.
            shared: the schemas of `_shared.yaml` by name.

        Raises:
            CatalogError: an argument is defined twice, or refers to an unknown schema.
        """
        self._yaml_entry = entry
        self._document = document
        self._shared = shared
        self._arguments = dict(self._all_arguments())

    def compiled(self) -> dict[str, Any]:
        """Return the entry in its JSON form, without empty parts.

        Raises:
            CatalogError: the entry contradicts itself.
        """
        record = self._tool() | (self._request() if "http" in self._yaml_entry else self._calls())
        record |= {key: self._yaml_entry[key] for key in _COPIED_KEYS if key in self._yaml_entry}
        empty = {key for key, value in record.items() if value in (None, [], {}, "")}
        if "body" in self._yaml_entry:  # an empty one means: all remaining arguments are the body
            empty.discard("body")
        return {key: value for key, value in record.items() if key not in empty}

    def _tool(self) -> dict[str, Any]:
        """Return the fields that operations and workflows share."""
        entry = self._yaml_entry
        return {
            "name": entry["name"],
            "title": entry["title"],
            "description": self._description(),
            "toolset": self._document["toolset"],
            "risk": entry["risk"],
            "input_schema": self._input_schema(),
            "secrets": self._arguments_with("secret", wanted=True),
            "undo": entry.get("undo", "").strip(),
            "constraints": list(self._constraints()),
            "idempotent": entry.get("idempotent", entry["risk"] == "read"),
            "keywords": entry.get("keywords", "").strip(),
        }

    def _calls(self) -> dict[str, Any]:
        """Return the fields that only a workflow has."""
        return {key: self._yaml_entry[key] for key in ("apis", "uses", "answer")}

    def _request(self) -> dict[str, Any]:
        """Return the fields that only an operation has."""
        entry = self._yaml_entry
        method, path = entry["http"].split(" ", 1)
        if set(_PLACEHOLDER.findall(path)) != set(entry.get("path", {})):
            raise CatalogError(
                f"{entry['name']}: the placeholders of {path} do not match its path arguments"
            )
        idempotent = entry["risk"] == "read" or method in _IDEMPOTENT_METHODS
        return {
            "api": entry.get("api", self._document["api"]),
            "method": method,
            "path": path,
            "reserved": self._reserved(),
            "query": list(entry.get("query", {})),
            "joined": self._arguments_with("explode", wanted=False),
            "dotted": self._arguments_with("dotted", wanted=True),
            "headers": self._values_of("as"),
            "listed_by": self._values_of("listed_by"),
            "body": self._body(),
            "replaces": self._replaces(),
            "answer": entry.get("answer", "json"),
            "idempotent": entry.get("idempotent", idempotent),
            "operation_id": entry.get("operationId", ""),
        }

    def _description(self) -> str:
        """Return the description; for an outdated operation, with what to use instead."""
        description: str = self._yaml_entry["description"].strip()
        status = self._yaml_entry.get("status", "current")
        if status == "current":
            return description
        instead = self._yaml_entry["instead"]
        use = f"use {instead}" if re.fullmatch(r"[a-z_]+", instead) else instead
        what = "Deprecated" if status == "deprecated" else "Removed from newer deployments"
        return f"{description} {what}: {use}."

    def _body(self) -> dict[str, Any] | None:
        body = self._yaml_entry.get("body")
        if body is None:
            return None
        keys = ("whole", "file", "columns", "credentials")
        return {key: body[key] for key in keys if key in body}

    def _replaces(self) -> dict[str, Any] | None:
        replaces: dict[str, Any] | None = self._yaml_entry.get("replaces")
        if replaces is None:
            return None
        body = self._yaml_entry["body"]
        return {"fields": [*body["properties"]], "required": body.get("required", []), **replaces}

    def _reserved(self) -> dict[str, Any]:
        is_read = self._yaml_entry["risk"] == "read" and self._yaml_entry.get("answer") != "csv"
        return {
            **(_FETCH_ALL if self._is_list else {}),
            **(_SHAPING if is_read else {}),
            **(_UPDATE if "replaces" in self._yaml_entry else {}),
            **self._finders(),
            **(_ITEMS if self._items_in else {}),
        }

    @property
    def _items_in(self) -> str:
        """The list of what an import replaces, or ""."""
        columns = self._yaml_entry.get("body", {}).get("columns", {})
        return str(columns.get("items_in", ""))

    def _finders(self) -> dict[str, Any]:
        """Return the arguments that only the read before a call takes, such as a coupon's code."""
        given = self._yaml_entry.get("before", {}).get("given", {}).values()
        named = [match[1] for value in given if (match := _PLACEHOLDER.fullmatch(str(value)))]
        return {
            name: {"type": "string", "minLength": 1}
            for name in named
            if name not in self._arguments
        }

    @property
    def _is_list(self) -> bool:
        """Whether the answer is paged; an operation named get_… returns a single object."""
        paged = {"pageSize", "skip"} <= self._yaml_entry.get("query", {}).keys()
        return paged and not self._yaml_entry["name"].startswith("get_")

    # --- Arguments -----------------------------------------------------------------------------

    def _all_arguments(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every argument, its top-level reference resolved; path arguments come first."""
        entry, seen = self._yaml_entry, set()
        body = entry.get("body", {})
        body_arguments = (
            _csv_arguments(body["columns"]) if "file" in body else body.get("properties", {})
        )
        groups = (entry.get(key, {}) for key in ("path", "query", "header", "arguments"))
        for group in (*groups, body_arguments):
            for name, argument in group.items():
                if name in seen:
                    raise CatalogError(f"{entry['name']}: argument {name} is defined twice")
                seen.add(name)
                yield name, self._dereferenced(argument)

    def _arguments_with(self, key: str, *, wanted: bool) -> list[str]:
        return [name for name, node in self._arguments.items() if node.get(key) is wanted]

    def _values_of(self, key: str) -> dict[str, str]:
        return {name: node[key] for name, node in self._arguments.items() if key in node}

    def _input_schema(self) -> dict[str, Any]:
        entry = self._yaml_entry
        required = [*entry.get("path", {}), *entry.get("required", [])]
        if "replaces" not in entry:  # otherwise, what is there now completes the request
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
                raise CatalogError(f"{self._yaml_entry['name']}: _shared.yaml has no {name}")
            node = self._shared[name] | {key: node[key] for key in node if key != "$ref"}
        return node

    def _resolved(self, node: Any) -> Any:
        """Resolve a schema at every depth and remove our own keywords."""
        if isinstance(node, list):
            return [self._resolved(item) for item in node]
        if not isinstance(node, dict):
            return node
        node = self._dereferenced(node)
        resolved = {
            key: self._resolved_properties(value) if key == "properties" else self._resolved(value)
            for key, value in node.items()
            if key not in _OWN_KEYWORDS
        }
        if node.get("type") == "object" and "properties" in node:
            # Upstream silently ignores a misspelt property; a model should be told.
            resolved.setdefault("additionalProperties", False)
        return resolved

    def _resolved_properties(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Resolve a map of properties, whose keys are names even if they look like our keywords."""
        return {name: self._resolved(node) for name, node in properties.items()}

    def _constraints(self) -> Iterator[dict[str, Any]]:
        if "csv" in self._arguments:
            yield _EITHER_CSV_OR_ITEMS if self._items_in else _EITHER_CSV
        for entry in self._yaml_entry.get("constraints", []):
            constraint = self._dereferenced(entry)
            for path in constraint.get("order", []):
                if path.partition(".")[0] not in self._arguments:
                    raise CatalogError(
                        f"{self._yaml_entry['name']}: a constraint names unknown {path}"
                    )
            yield constraint


def _csv_arguments(columns: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the two arguments of an import; a call passes one of them."""
    either = " or ".join(columns.get("one_of", []))
    required = ", ".join([either, *columns.get("required", [])]).removeprefix(", ")
    optional = ", ".join(columns.get("optional", []))
    columns_text = (
        f"Columns: {required}; optional {optional}." if optional else f"Columns: {required}."
    )
    return {
        "csv": {"type": "string", "description": f"CSV text. {columns_text}"},
        "csvPath": {"type": "string", "description": "Or a file in the import folder."},
    }
