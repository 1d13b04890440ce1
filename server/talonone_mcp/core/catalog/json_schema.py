"""The JSON Schema validator: draft 2020-12, with the formats that upstream knows asserted."""

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
    """Return the validator of one schema."""
    return _Validator(schema, format_checker=_formats)


def satisfies(schema: Schema, arguments: Mapping[str, Any]) -> bool:
    """Tell whether `arguments` satisfy a schema of the catalog, such as `confirm.when`."""
    return bool(validator(schema).is_valid(dict(arguments)))


def parse_time(value: object) -> datetime | None:
    """Read a time as RFC 3339 writes it; None when it is no such time.

    RFC 3339 is stricter than what `fromisoformat` alone would read.
    """
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:  # the 30th of February
        return None


@_formats.checks("date-time")
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or parse_time(value) is not None


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """Match as ECMA 262 does: Python's `$` would also match before a final line break."""
    end_anchored = re.sub(r"(?<!\\)\$$", r"\\Z", pattern)
    if isinstance(value, str) and not re.search(end_anchored, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern}
)
