"""Change only the fields that a call names, where upstream's request replaces all of them.

Upstream's PUTs lose what they leave out. So the current state is read, the call's arguments are
laid over it, and the whole is sent. `clear` empties fields; nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.json_schema import validator
from talonone_mcp.core.catalog.model import Replaces, Schema
from talonone_mcp.core.catalog.problems import Problem, shown
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.names import did_you_mean, in_words

CLEAR = "clear"
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def update_problems(operation: Operation, arguments: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the fields that a call clears, or that it changes none."""
    replaces = operation.replaces
    if replaces is None:
        return []
    if not {CLEAR, *replaces.fields} & arguments.keys():
        return [Problem("arguments", "change nothing: give a field to set, or clear one")]
    return [*_clear_problems(replaces, arguments)]


def _clear_problems(replaces: Replaces, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for index, name in enumerate(arguments.get(CLEAR, ())):
        at = f"{CLEAR}[{index}]"
        if name not in replaces.fields:
            yield Problem(at, f"{shown(name)} is no field{did_you_mean(name, replaces.fields)}")
        elif name in replaces.required:
            yield Problem(at, f"{name} cannot be cleared: upstream requires it")
        elif name in arguments:
            yield Problem(at, f"{name} is given too; either clear it or set it")


def completed(
    operation: Operation, arguments: Mapping[str, Any], current: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of the whole request: those of the call, laid over what is there.

    Args:
        operation: an update, with `replaces`.
        arguments: of the call, valid.
        current: upstream's answer to `replaces.read`.

    Raises:
        CallError: `invalid_arguments`, when upstream does not show a field that it requires.
    """
    replaces = _replaces_of(operation)
    cleared = arguments.get(CLEAR, ())
    kept = {name: value for name, value in _kept(operation, current) if name not in cleared}
    given = {name: value for name, value in arguments.items() if name != CLEAR}
    whole = {**kept, **given}
    if missing := [name for name in replaces.required if name not in whole]:
        raise CallError(
            "invalid_arguments",
            f"{operation.name} was not called: {replaces.read} does not show {in_words(missing)},"
            " which upstream requires.",
            details=[{"at": name, "problem": "is required"} for name in missing],
            hint="Give these too, and call again.",
        )
    return whole


def changed_fields(
    operation: Operation, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[str]:
    """Return the fields that somebody else changed between two reads, by their names in a call."""
    first, second = dict(_kept(operation, before)), dict(_kept(operation, after))
    return [name for name in {**first, **second} if first.get(name) != second.get(name)]


def conflict(operation: Operation, fields: list[str]) -> CallError:
    """Return the error for something that changed while a person was being asked."""
    return CallError(
        "conflict",
        f"{operation.name} was not called: {in_words(fields)} changed while a person was asked.",
        details=[{"at": name, "problem": "was changed by somebody else"} for name in fields],
        hint="Read what is there now, and call again.",
    )


def _replaces_of(operation: Operation) -> Replaces:
    if operation.replaces is None:
        raise ValueError(f"{operation.name} does not replace anything")
    return operation.replaces


def _kept(operation: Operation, current: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields that are there now, as a request has them."""
    replaces = _replaces_of(operation)
    for name in replaces.fields:
        schema = operation.input_schema["properties"][name]
        value = _writable(schema, current.get(replaces.renamed.get(name, name)))
        # Upstream shows some fields as empty that it would not take so.
        if value is not None and (value not in _EMPTY or validator(schema).is_valid(value)):
            yield name, value


def _writable(schema: Schema, value: Any) -> Any:
    """Return a value without what only reads have: nulls, and properties that cannot be set."""
    if isinstance(value, list):
        return [_writable(schema.get("items", {}), item) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    is_closed = schema.get("additionalProperties") is False
    return {
        key: _writable(properties.get(key, {}), item)
        for key, item in value.items()
        if item is not None and (key in properties or not is_closed)
    }
