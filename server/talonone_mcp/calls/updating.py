"""Change only what a call names, where upstream's request replaces the whole.

Upstream's PUTs lose what they leave out. So what is there is read, the call's arguments are laid
over it, and the whole is sent. A map, such as attributes, changes by key; a list is replaced as
given. `clear` empties fields, `add` and `remove` change lists, and `replace: true` sends only what
is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from talonone_mcp.calls.catalog_items import with_items_kept
from talonone_mcp.calls.shown import Shown
from talonone_mcp.core.catalog import Operation
from talonone_mcp.core.catalog.json_schema import validator
from talonone_mcp.core.catalog.model import Replaces, Schema
from talonone_mcp.core.catalog.problems import Problem, shown
from talonone_mcp.core.errors import CallError
from talonone_mcp.core.names import did_you_mean, in_words

CLEAR, ADD, REMOVE, REPLACE = "clear", "add", "remove", "replace"
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_IDENTITY: Mapping[str, tuple[str, ...]] = {
    "limits": ("action", "period", "entities"),
    "members": ("value",),
}
"""What makes two items of a list the same one, where that is not the whole item."""


@dataclass(frozen=True, slots=True)
class Update:
    """What a call changes, and all that is sent for it.

    Attributes:
        whole: the arguments of the request.
        fields: the new value of every field that the call sets.
        cleared: the fields that it empties; `attributes.color` is one key of a map.
        old: the fields that are there, as a request has them; None if they are not known.
    """

    whole: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)
    cleared: tuple[str, ...] = ()
    old: Mapping[str, Any] | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The fields that the call sets or empties."""
        tops = (name.partition(".")[0] for name in self.cleared)
        return tuple(dict.fromkeys((*self.fields, *tops)))


# --- What is wrong with a call, as far as it alone can tell -----------------------------------


def update_problems(operation: Operation, arguments: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the fields that an update names, or that it names none."""
    replaces = operation.replaces
    if replaces is None:
        return []
    if not {CLEAR, ADD, REMOVE, *replaces.fields} & arguments.keys():
        return [Problem("arguments", "change nothing: give a field to set, or clear one")]
    found = [*_clear_problems(operation, arguments), *_list_problems(operation, arguments)]
    if REPLACE in arguments:
        wrong = [name for name in (CLEAR, ADD, REMOVE) if name in arguments]
        found += [Problem(name, "does not go with replace: true") for name in wrong]
        return found
    named = {*arguments, *arguments.get(CLEAR, ())}
    return found + [
        Problem(name, "would be lost: set it, clear it, or say replace: true")
        for name in replaces.blind
        if name not in named
    ]


def _clear_problems(operation: Operation, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    replaces = _replaces_of(operation)
    for index, path in enumerate(arguments.get(CLEAR, ())):
        at = f"{CLEAR}[{index}]"
        name, dot, _ = path.partition(".")
        if name not in replaces.fields:
            yield Problem(at, f"{shown(path)} is no field{did_you_mean(name, replaces.fields)}")
        elif dot and not _is_map(_schema(operation, name)):
            yield Problem(at, f"{name} is cleared as a whole")
        elif name in replaces.required and not dot:
            yield Problem(at, f"{name} cannot be cleared: upstream requires it")
        elif replaces.only_lists and not dot and _blank(_schema(operation, name)) is None:
            yield Problem(at, f"{name} cannot be cleared; set it")
        elif name in arguments and not dot:
            yield Problem(at, f"{name} is given too; either clear it or set it")


def _list_problems(operation: Operation, arguments: Mapping[str, Any]) -> Iterator[Problem]:
    replaces = _replaces_of(operation)
    lists = [name for name in replaces.fields if _schema(operation, name).get("type") == "array"]
    for twin in (ADD, REMOVE):
        for name in arguments.get(twin, {}):
            at = f"{twin}.{name}"
            if name not in lists:
                near = did_you_mean(name, lists)
                yield Problem(at, f"{shown(name)} is no list of {operation.name}{near}")
            elif name in arguments or name in arguments.get(CLEAR, ()):
                yield Problem(at, f"{name} is given too; either set it or {twin} to it")


# --- Laying a call over what is there ---------------------------------------------------------


def update_of(operation: Operation, arguments: Mapping[str, Any], seen: Shown) -> Update:
    """Return what a call changes, laid over what is there.

    Args:
        operation: what is called.
        arguments: of the call, valid.
        seen: what was read.

    Raises:
        BeforeNeededError: what is there must be read first.
        CallError: `invalid_arguments`, if the call does not go with what is there, or upstream
            does not show a field that it requires.
    """
    replaces = operation.replaces
    if operation.keeps_items:
        return Update(with_items_kept(arguments, seen))
    if replaces is None:
        return Update(arguments)
    given = {name: arguments[name] for name in replaces.fields if name in arguments}
    cleared = tuple(arguments.get(CLEAR, ()))
    blanks = _blanks(operation, cleared)
    if REPLACE in arguments or replaces.blind or not _needs_old(operation, arguments):
        return Update({**arguments, **blanks}, given, cleared)
    old = dict(_kept(operation, seen.before))
    fields = {name: _merged(operation, name, old, value) for name, value in given.items()}
    fields |= _changed_lists(operation, arguments, old)
    fields |= _cleared_keys(cleared, {**old, **fields})
    kept = {} if replaces.only_lists else old
    others = {name: value for name, value in arguments.items() if name not in replaces.fields}
    whole = {**others, **kept, **fields}
    for name in cleared:
        whole.pop(name, None)
    whole |= blanks
    _require_all(operation, whole)
    return Update(whole, fields, cleared, old)


def _needs_old(operation: Operation, arguments: Mapping[str, Any]) -> bool:
    """Tell whether the new values depend on the old: always, unless upstream keeps what it can."""
    if not _replaces_of(operation).only_lists or ADD in arguments or REMOVE in arguments:
        return True
    given = (name for name in _replaces_of(operation).fields if arguments.get(name))
    of_maps = any(_is_map(_schema(operation, name)) for name in given)
    return of_maps or any("." in path for path in arguments.get(CLEAR, ()))


def _blanks(operation: Operation, cleared: tuple[str, ...]) -> dict[str, Any]:
    """Return what empties the cleared fields, where upstream keeps those that are left out."""
    if not _replaces_of(operation).only_lists:
        return {}
    tops = (name for name in cleared if "." not in name)
    return {name: _blank(_schema(operation, name)) for name in tops}


def _blank(schema: Schema) -> Any:
    """Return the empty value of a field; None if it has none."""
    empty = (each for each in _EMPTY if each is not None)
    return next((each for each in empty if validator(schema).is_valid(each)), None)


def _merged(operation: Operation, name: str, old: Mapping[str, Any], new: Any) -> Any:
    """Return a field's new value: of a map, the old one with the keys that the call names."""
    before = old.get(name)
    if not (new and isinstance(new, dict) and _is_map(_schema(operation, name))):
        return new
    merged = {**(before if isinstance(before, dict) else {}), **new}
    return {key: value for key, value in merged.items() if value is not None}


def _cleared_keys(cleared: tuple[str, ...], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the maps that lose keys, without these."""
    left: dict[str, Any] = {}
    for path in cleared:
        name, dot, key = path.partition(".")
        if dot:
            values = left.get(name, fields.get(name)) or {}
            left[name] = {each: value for each, value in values.items() if each != key}
    return left


def _changed_lists(
    operation: Operation, arguments: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, list[Any]]:
    """Return the lists that the call adds to or removes from, as they will be."""
    added, removed = arguments.get(ADD, {}), arguments.get(REMOVE, {})
    lists = {}
    for name in (*added, *removed):
        items = list(old.get(name) or ())
        for item in removed.get(name, ()):
            rest = [each for each in items if not _matches(item, each)]
            if len(rest) == len(items):
                raise _not_in_list(operation, name, item)
            items = rest
        for item in added.get(name, ()):
            items = [each for each in items if not _is_same(name, item, each)] + [item]
        lists[name] = items
    return lists


def _matches(wanted: Any, item: Any) -> bool:
    """Tell whether an item is the wanted one; a map needs to name only what identifies it."""
    if isinstance(wanted, dict) and isinstance(item, dict):
        return all(item.get(key) == value for key, value in wanted.items())
    return bool(wanted == item)


def _is_same(name: str, one: Any, other: Any) -> bool:
    keys = _IDENTITY.get(name)
    if keys and isinstance(one, dict) and isinstance(other, dict):
        return all(_comparable(one.get(key)) == _comparable(other.get(key)) for key in keys)
    return bool(one == other)


def _comparable(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else value


def _require_all(operation: Operation, whole: Mapping[str, Any]) -> None:
    replaces = _replaces_of(operation)
    missing = [name for name in replaces.required if name not in whole]
    if missing and not replaces.only_lists:
        read = operation.before.read if operation.before else "upstream"
        raise CallError(
            "invalid_arguments",
            f"{operation.name} was not called: {read} does not show {in_words(missing)},"
            " which upstream requires.",
            details=[{"at": name, "problem": "is required"} for name in missing],
            hint="Give these too, and call again.",
        )


def _not_in_list(operation: Operation, name: str, item: Any) -> CallError:
    return CallError(
        "invalid_arguments",
        f"{operation.name} was not called: {name} has no {shown(item)} to remove.",
        details=[{"at": f"{REMOVE}.{name}", "problem": f"{shown(item)} is not there"}],
        hint="Read what is there now, and call again.",
    )


# --- What changed between the question and the call -------------------------------------------


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the fields that differ between two reads, by their names in a call."""
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]


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


def _schema(operation: Operation, name: str) -> Schema:
    schema: Schema = operation.input_schema["properties"][name]
    return schema


def _is_map(schema: Schema) -> bool:
    """Tell whether a value's keys are free: a map of attributes, and no object of fixed parts."""
    return schema.get("type") == "object" and "properties" not in schema


def _kept(operation: Operation, current: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields that are there now, as a request has them."""
    replaces = _replaces_of(operation)
    known = current if isinstance(current, dict) else {}
    for name in replaces.fields:
        schema = _schema(operation, name)
        value = _writable(schema, known.get(replaces.renamed.get(name, name)))
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
