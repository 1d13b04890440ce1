"""Checks the arguments of a call against the operation's schema, all problems at once."""

from __future__ import annotations

import difflib
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from talonone_mcp.catalog.model import Operation, Schema

_SHOWN = 60  # characters of an offending value that a message repeats
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the arguments. `at` is its path, such as `limits[0].action`."""

    at: str
    problem: str


def problems(operation: Operation, arguments: Mapping[str, Any]) -> list[Problem]:
    """Return everything that is wrong with `arguments`; an empty list when the call may go on."""
    errors = _validator(operation.input_schema).iter_errors(dict(arguments))
    found = [*_unsendable(arguments, ""), *itertools.chain.from_iterable(map(_explain, errors))]
    found += [
        Problem(name, "must not be empty, '.' or '..', because it is one segment of a path")
        for name in operation.path_arguments
        if arguments.get(name) in ("", ".", "..")
    ]
    readable = (Problem(_readable(each.at), _readable(each.problem)) for each in found)
    return list(dict.fromkeys(readable))


def satisfies(schema: Schema, arguments: Mapping[str, Any]) -> bool:
    """Tell whether `arguments` satisfy a schema of the catalog, such as `confirm.when`."""
    return bool(_validator(schema).is_valid(dict(arguments)))


def _unsendable(value: object, at: str) -> Iterator[Problem]:
    """Yield what JSON cannot carry: numbers that are not finite, text that is not Unicode."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unsendable(key, _join(at, key))
            yield from _unsendable(item, _join(at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unsendable(item, f"{at}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(at, "must be a finite number")
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        yield Problem(at, "is not valid Unicode text (it has a lone surrogate)")


def _readable(text: str) -> str:
    """Escape what no UTF-8 answer could carry, so that the message itself can be sent."""
    return text.encode("utf-8", "backslashreplace").decode()


# --- The validator: 2020-12 with its formats asserted ------------------------------------------

_formats = FormatChecker(formats=("email", "uuid"))


@_formats.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    """Check RFC 3339, which is stricter than what `fromisoformat` alone would read."""
    if not isinstance(value, str):
        return True
    return bool(_RFC3339.fullmatch(value) and datetime.fromisoformat(value.upper()))


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """Match as ECMA 262 does: Python's `$` would also match before a final line break."""
    end_anchored = re.sub(r"(?<!\\)\$$", r"\\Z", pattern)
    if isinstance(value, str) and not re.search(end_anchored, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern}
)


def _validator(schema: Schema) -> Draft202012Validator:
    return _Validator(schema, format_checker=_formats)


# --- What a model is told ----------------------------------------------------------------------


def _explain(error: ValidationError) -> Iterator[Problem]:
    at = _at(error)
    expected: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        missing = [name for name in expected if name not in instance]
        yield from (Problem(_join(at, name), "is required") for name in missing)
    elif error.validator == "additionalProperties":
        schema: Any = error.schema
        known = schema.get("properties", {})
        unknown = [name for name in instance if name not in known]
        yield from (Problem(_join(at, n), "is unknown" + _did_you_mean(n, known)) for n in unknown)
    else:
        say = _MESSAGES.get(str(error.validator))
        message = say(expected) if say else error.message[:200]
        yield Problem(at or "arguments", f"{message}, not {_shown(instance)}")


def _at(error: ValidationError) -> str:
    at = ""
    for step in error.absolute_path:
        at = f"{at}[{step}]" if isinstance(step, int) else _join(at, str(step))
    return at


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    folded = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    if near:
        return f"; did you mean {folded[near[0]]}?"
    return f"; it can be one of {', '.join(known)}" if known else "; there are no arguments"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _type(expected: str | list[str]) -> str:
    names = [expected] if isinstance(expected, str) else expected
    return f"must be of type {' or '.join(names)}"


_FORMATS = {
    "date-time": "a time as RFC 3339 writes it, such as 2026-03-01T00:00:00Z",
    "email": "an e-mail address",
    "uuid": "a UUID",
}

_MESSAGES: dict[str, Callable[[Any], str]] = {
    "type": _type,
    "enum": lambda values: f"must be one of {', '.join(map(str, values))}",
    "minimum": lambda limit: f"must be at least {limit}",
    "maximum": lambda limit: f"must be at most {limit}",
    "minLength": lambda limit: f"must have at least {limit} characters",
    "maxLength": lambda limit: f"must have at most {limit} characters",
    "minItems": lambda limit: f"must have at least {limit} items",
    "maxItems": lambda limit: f"must have at most {limit} items",
    "pattern": lambda pattern: f"must match {pattern}",
    "format": lambda name: f"must be {_FORMATS.get(name, name)}",
}
