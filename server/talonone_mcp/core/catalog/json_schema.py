"""JSON Schema validation: draft 2020-12, asserting the formats that upstream uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from talonone_mcp.core.catalog.model import Schema

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_formats = FormatChecker(formats=("email", "uuid"))


def validator(schema: Schema) -> Draft202012Validator:
    """Return a validator for one schema."""
    return _Validator(schema, format_checker=_formats)


def satisfies(schema: Schema, arguments: Mapping[str, Any]) -> bool:
    """Return whether `arguments` satisfy a schema of the catalog, such as `confirm.when`."""
    return bool(validator(schema).is_valid(dict(arguments)))


def parse_time(value: object) -> datetime | None:
    """Parse an RFC 3339 time; return None for anything else.

    `fromisoformat` alone would accept more than RFC 3339 allows.
    """
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:  # such as February 30
        return None


@_formats.checks("date-time")
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or parse_time(value) is not None


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """Match like ECMA-262: Python's `$` would also match before a final line break."""
    end_anchored = re.sub(r"(?<!\\)\$$", r"\\Z", pattern)
    if isinstance(value, str) and not re.search(end_anchored, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern}
)
