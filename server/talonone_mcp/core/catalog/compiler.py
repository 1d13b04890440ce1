"""Compile `tools/*.yaml` into the plain JSON that the catalog loads.

This happens when a wheel is built and, in a checkout, at every start.
`tools/catalog.schema.json` defines what an entry looks like, and `entry_compiler` compiles one.
This module checks what spans entries: duplicate names, and references between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from talonone_mcp.core.catalog.entry_compiler import EntryCompiler
from talonone_mcp.core.catalog.model import CatalogError
from talonone_mcp.core.policy.policy_file import compiled_policy
from talonone_mcp.core.policy.policy_lines import PolicyError

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compile_catalog(folder: Path) -> dict[str, Any]:
    """Compile every toolset file in `folder`.

    Raises:
        CatalogError: a file is not a toolset, a reference leads nowhere, a name is defined twice,
            or the placeholders of a path do not match its parameters.
    """
    shared = _read(folder / "_shared.yaml")
    toolsets: list[dict[str, Any]] = []
    tools: dict[str, dict[str, Any]] = {}
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
            compiled = [
                EntryCompiler(entry, document, shared).compiled() for entry in document["tools"]
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise CatalogError(f"{path.name}: {type(error).__name__} {error}") from error
        for tool in compiled:
            if tool["name"] in tools:
                raise CatalogError(f"{tool['name']} is defined twice")
            tools[tool["name"]] = tool
    _check_aliases(tools)
    operations = {name: tool for name, tool in tools.items() if "path" in tool}
    workflows = [tool for tool in tools.values() if "path" not in tool]
    for operation in operations.values():
        _check_references(operation, operations)
    for workflow in workflows:
        _check_uses(workflow, operations)
    return {
        "toolsets": toolsets,
        "profiles": list(_profiles(_read_if_present(folder / "_profiles.yaml"), tools)),
        "words": _read_if_present(folder / "_words.yaml"),
        "policy": _policy(folder / "_policy.yaml", tools),
        "workflows": workflows,
        "operations": list(operations.values()),
    }


def _profiles(document: Mapping[str, Any], tools: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, profile in document.items():
        if unknown := [tool for tool in profile["tools"] if tool not in tools]:
            raise CatalogError(f"_profiles.yaml: {name} lists unknown {', '.join(unknown)}")
        yield {"name": name, **profile}


def _policy(path: Path, tools: Mapping[str, Any]) -> dict[str, Any]:
    rules = (rule for tool in tools.values() for rule in tool.get("impact", ()))
    try:
        return compiled_policy(path, (rule["unit"] for rule in rules if "unit" in rule))
    except PolicyError as error:
        raise CatalogError(str(error)) from error


def _read_if_present(path: Path) -> dict[str, Any]:
    return _read(path) if path.is_file() else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            # The loader is safe: it builds plain data, never Python objects.
            document: dict[str, Any] = yaml.load(file, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise CatalogError(f"{path.name}: {error}") from error
    return document


def _check_aliases(tools: Mapping[str, Any]) -> None:
    taken = set(tools)
    for tool in tools.values():
        for alias in tool.get("aliases", ()):
            if alias in taken:
                raise CatalogError(f"{tool['name']}: the alias {alias} is taken")
            taken.add(alias)


def _check_uses(workflow: Mapping[str, Any], operations: Mapping[str, Any]) -> None:
    """Check that a workflow's operations exist, and that a read uses only reads."""
    for name in [*workflow["uses"], *_reads_named_by(workflow)]:
        if name not in operations:
            raise CatalogError(f"{workflow['name']} uses {name}, which is not in the catalog")
        if workflow["risk"] == "read" and operations[name]["risk"] != "read":
            raise CatalogError(f"{workflow['name']} is a read but uses {name}, which is not")


def _check_references(operation: dict[str, Any], operations: Mapping[str, Any]) -> None:
    for name in _reads_named_by(operation):
        if name not in operations:
            raise CatalogError(f"{operation['name']} refers to {name}, which is not in the catalog")
        if operations[name]["risk"] != "read":
            raise CatalogError(f"{operation['name']} refers to {name}, which is not a read")
    if "before" in operation:
        _check_before(operation, operations)
    if "replaces" in operation:
        _check_replaces(operation)


def _check_before(operation: dict[str, Any], operations: Mapping[str, Any]) -> None:
    """Check that what an operation changes can be read with the arguments that it has."""
    before = operation["before"]
    schema = operations[before["read"]]["input_schema"]
    given = set(before.get("given", ()))
    if missing := set(schema.get("required", [])) - {*_required(operation), *given}:
        raise CatalogError(f"{operation['name']} cannot read what it changes without {missing}")
    if unknown := given - {*schema["properties"]}:
        raise CatalogError(f"{operation['name']}: {before['read']} takes no {sorted(unknown)}")
    if before.get("pick", "") not in {"", *operation["input_schema"]["properties"]}:
        raise CatalogError(f"{operation['name']} picks by unknown {before['pick']}")


def _check_replaces(operation: dict[str, Any]) -> None:
    replaces = operation["replaces"]
    if "before" not in operation and not replaces.get("blind"):
        raise CatalogError(f"{operation['name']} replaces what it does not read before")
    named = {*replaces.get("renamed", ()), *replaces.get("blind", ())}
    if unknown := named - {*replaces["fields"]}:
        raise CatalogError(f"{operation['name']} replaces unknown {sorted(unknown)}")


def _required(operation: Mapping[str, Any]) -> list[str]:
    required: list[str] = operation["input_schema"].get("required", [])
    return required


def _reads_named_by(operation: Mapping[str, Any]) -> Iterator[str]:
    if "check" in operation:
        yield operation["check"]
    if "before" in operation:
        yield operation["before"]["read"]
    columns = operation.get("body", {}).get("columns", {})
    if "items_in" in columns:
        yield columns["items_in"]
    if "known_by" in columns:
        yield columns["known_by"]["read"]
    yield from operation.get("listed_by", {}).values()
