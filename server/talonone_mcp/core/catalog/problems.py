"""Explain validation errors so that a model can correct its arguments."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import ValidationError

from talonone_mcp.core.names import did_you_mean, in_words

_MAX_QUOTED_CHARS = 60  # of an offending value, in a message


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the arguments. `at` is its path, such as `limits[0].action`."""

    at: str
    problem: str


def explain(error: ValidationError, secrets: Iterable[str] = ()) -> Iterator[Problem]:
    """Yield the problems behind one validation error.

    Args:
        error: the validator's error.
        secrets: arguments whose values must not be quoted.
    """
    at = _at(error)
    expected: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        missing = [name for name in expected if name not in instance]
        yield from (Problem(join(at, name), "is required") for name in missing)
    elif error.validator == "additionalProperties":
        schema: Any = error.schema
        known = schema.get("properties", {})
        unknown = [name for name in instance if name not in known]
        for name in unknown:
            suggestion = did_you_mean(name, known) or "; there are no arguments"
            yield Problem(join(at, name), f"is unknown{suggestion}")
    elif error.validator in ("oneOf", "anyOf") and (branch := _intended_branch(error)):
        for deeper in branch:
            yield from explain(deeper, secrets)
    else:
        describe = _MESSAGES.get(str(error.validator))
        secret = bool(error.absolute_path) and str(error.absolute_path[0]) in secrets
        message = describe(expected) if describe else f"does not satisfy {error.validator}"
        yield Problem(at or "arguments", message if secret else f"{message}, not {shown(instance)}")


def join(at: str, name: str) -> str:
    """Return the path of the property `name` of the value at `at`."""
    return f"{at}.{name}" if at else name


def shown(value: object) -> str:
    """Return a value as JSON for a message, cut after `_MAX_QUOTED_CHARS`."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_QUOTED_CHARS else f"{text[:_MAX_QUOTED_CHARS]}..."


def _at(error: ValidationError) -> str:
    at = ""
    for step in error.absolute_path:
        at = f"{at}[{step}]" if isinstance(step, int) else join(at, str(step))
    return at


def _intended_branch(error: ValidationError) -> list[ValidationError]:
    """Return the errors of the alternative whose constants match; [] unless exactly one does.

    A constant, such as `type`, shows which alternative the caller meant.
    """
    branches: dict[object, list[ValidationError]] = defaultdict(list)
    for deeper in error.context or ():
        branches[deeper.relative_schema_path[0]].append(deeper)
    matching = [
        errors for errors in branches.values() if all(each.validator != "const" for each in errors)
    ]
    return matching[0] if len(matching) == 1 else []


def _type(expected: str | list[str]) -> str:
    names = [expected] if isinstance(expected, str) else expected
    return f"must be of type {in_words(names, 'or')}"


def _alternatives(schemas: list[dict[str, Any]]) -> str:
    """Name the constants that tell the alternatives apart, if there are any."""
    constants = {
        name: [s["properties"][name]["const"] for s in schemas if name in s.get("properties", {})]
        for schema in schemas
        for name, sub in schema.get("properties", {}).items()
        if "const" in sub
    }
    if not constants:
        return "must match one of the alternatives in the schema"
    choices = (f"{name} one of {', '.join(map(str, values))}" for name, values in constants.items())
    return f"must have {' and '.join(choices)}"


_FORMATS = {
    "date-time": "an RFC 3339 time, such as 2026-03-01T00:00:00Z",
    "email": "an e-mail address",
    "uuid": "a UUID",
}

_MESSAGES: dict[str, Callable[[Any], str]] = {
    "type": _type,
    "const": lambda value: f"must be {shown(value)}",
    "enum": lambda values: f"must be one of {', '.join(map(str, values))}",
    "minimum": lambda limit: f"must be at least {limit}",
    "maximum": lambda limit: f"must be at most {limit}",
    "exclusiveMinimum": lambda limit: f"must be more than {limit}",
    "exclusiveMaximum": lambda limit: f"must be less than {limit}",
    "minLength": lambda limit: f"must have at least {limit} characters",
    "maxLength": lambda limit: f"must have at most {limit} characters",
    "minItems": lambda limit: f"must have at least {limit} items",
    "maxItems": lambda limit: f"must have at most {limit} items",
    "uniqueItems": lambda _: "must not contain duplicates",
    "minProperties": lambda limit: f"must have at least {limit} properties",
    "pattern": lambda pattern: f"must match {pattern}",
    "format": lambda name: f"must be {_FORMATS.get(name, name)}",
    "oneOf": _alternatives,
    "anyOf": _alternatives,
}
