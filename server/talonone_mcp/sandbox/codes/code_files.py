"""Codes in CSV files: the columns that coupons, referrals and giveaways share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from talonone_mcp.core.csv_values import number_in
from talonone_mcp.sandbox.catalogs import attributes
from talonone_mcp.sandbox.codes.code_validity import check_dates
from talonone_mcp.sandbox.documents.document_store import Document
from talonone_mcp.sandbox.ground.refusals import RefusalError
from talonone_mcp.sandbox.ground.timestamps import exact_moment, stamp
from talonone_mcp.sandbox.handling.calls import SandboxCall
from talonone_mcp.sandbox.handling.csv_files import rows_of

_MOST_USES = 999_999


def _time(text: str) -> str:
    return stamp(exact_moment(text))


def _uses(text: str) -> int:
    uses = _number(text)
    if not uses.is_integer() or not 0 <= uses <= _MOST_USES:
        raise ValueError(f"{text} is no whole number between 0 and {_MOST_USES}")
    return int(uses)


def _number(text: str) -> float:
    number = number_in(text)
    if number is None:
        raise ValueError(f"{text} is no number")
    return float(number)


def _object(text: str) -> Any:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{text} is no JSON object")
    return value


# By column: the property that it sets, and how its text is read
_COLUMNS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "advocateprofileintegrationid": ("advocateProfileIntegrationId", str),
    "attributes": ("attributes", _object),
    "code": ("code", str),
    "discountlimit": ("discountLimit", _number),
    "enddate": ("endDate", _time),
    "expirydate": ("expiryDate", _time),
    "limitval": ("usageLimit", _uses),
    "recipientintegrationid": ("recipientIntegrationId", str),
    "startdate": ("startDate", _time),
    "value": ("value", str),
}


def codes_in(
    call: SandboxCall, entity: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[str, Document]]:
    """Yield each line of an import: its number, and the properties that its columns give.

    Args:
        call: the request.
        entity: what the codes are, as attributes name it: "Coupon", "Referral", "Giveaway".
        required: the columns that must be there and have a value.
        optional: those that may be; without a value, the property is not given.

    Raises:
        RefusalError: 400 with the line, when it cannot be read.
    """
    for number, row in rows_of(call.arguments["csv"], required, optional):
        line = str(number)
        for column in required:
            if not row[column].strip():
                raise RefusalError(400, f"{column} is empty", line=line)
        try:
            given = [(*_COLUMNS[column], text) for column, text in row.items() if text.strip()]
            settings = {name: converted(text) for name, converted, text in given}
            check_dates(settings)
            attributes.check(call, entity, settings.get("attributes"))
        except ValueError as error:
            raise RefusalError(400, f"cannot be read: {error}", line=line) from None
        except RefusalError as error:
            raise RefusalError(error.status, error.message, line=line) from None
        yield line, settings
