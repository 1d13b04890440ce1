"""Whatever an answer looks like, no address is left in it and all else is."""

from __future__ import annotations

import json
import re
import string
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.core.masking import mask_personal

# What a reader who knows nothing of the masks takes for an address.
ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=30)
ODD_TEXT = st.text("0123456789 +-()./:,*@ab_%'\u00a0", max_size=40)
KEYS = st.sampled_from(
    ["name", "firstName", "userName", "phone", "mobile", "dob", "address", "attributes", "value",
     "integrationId", "customer", "members", "campaign", "code", "number", "customerId", "data"]
)  # fmt: skip
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)


def values_of(texts: st.SearchStrategy[str], leaves: st.SearchStrategy[Any]) -> Any:
    return st.recursive(
        leaves | texts,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(KEYS | texts, inner, max_size=4)
        ),
        max_leaves=15,
    )


@given(values_of(ANY_TEXT | ODD_TEXT, PLAIN), st.booleans())
def test_masking_twice_is_masking_once(value: Any, people: bool) -> None:
    masked = mask_personal(value, people=people)

    assert mask_personal(masked, people=people) == masked


@given(ODD_TEXT, st.sampled_from(["note", "phone", "name", "firstName", "address"]))
def test_masking_odd_text_twice_is_masking_it_once(text: str, key: str) -> None:
    masked = mask_personal({key: text, text: key})

    assert mask_personal(masked) == masked


letters = string.ascii_letters + string.digits
local_parts = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(string.ascii_letters),
    st.text(letters + "._+-%ößé", min_size=1, max_size=20),
)
labels = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
addresses = st.builds(
    lambda local, labels, top: f"{local}@{'.'.join([*labels, top])}",
    local_parts.filter(lambda local: "%40" not in local),
    st.lists(labels, min_size=1, max_size=3),
    st.sampled_from(["com", "de", "co.uk", "museum"]),
)
around = st.sampled_from(
    ["{}", "see {}", "<{}>", "{}, and more", "({})", "a {} b", "mailto:{}?x=1"]
)
written = st.builds(lambda around, address: around.format(address), around, addresses)


@given(values_of(written, PLAIN), st.booleans())
def test_no_address_is_left(value: Any, people: bool) -> None:
    shown = json.dumps(mask_personal(value, people=people), ensure_ascii=False)

    assert ADDRESS.findall(shown) == []


@given(addresses)
def test_of_an_address_the_first_letter_and_the_domain_are_left(address: str) -> None:
    assert mask_personal(address) == f"{address[0]}***@{address.partition('@')[2]}"


international = st.builds(
    lambda start, mark, groups: start + mark + mark.join(groups),
    st.sampled_from(["+49", "+1", "+353", "0049", "001", "(030)", "(+49)"]),
    st.sampled_from([" ", "-", "\u00a0"]),
    st.lists(st.text("123456789", min_size=3, max_size=4), min_size=2, max_size=3),
)


@given(international, st.sampled_from(["{}", "call {}", "{}, please", "tel:{}", "a {} b"]))
def test_of_a_phone_number_two_digits_are_left(number: str, around: str) -> None:
    assert mask_personal(around.format(number)) == around.format(f"***{number[-2:]}")


def structure(value: Any) -> Any:
    """Return the value with all texts alike."""
    if isinstance(value, str):
        return ""
    if isinstance(value, list):
        return [structure(item) for item in value]
    if isinstance(value, dict):
        return [structure(item) for item in value.values()]
    return value


under_no_phone = PLAIN.filter(lambda value: not isinstance(value, int) or abs(value) < 10**6)


@given(values_of(ANY_TEXT | ODD_TEXT | written, under_no_phone), st.booleans())
def test_the_structure_is_kept(value: Any, people: bool) -> None:
    assert structure(mask_personal(value, people=people)) == structure(value)


times = st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC))
codes = st.lists(
    st.text(string.ascii_uppercase + string.digits, min_size=2, max_size=8), min_size=1, max_size=5
).map("-".join)
harmless = (
    codes.filter(lambda code: not code.startswith("00"))
    | st.integers(0, 10**20 - 1).map(str)
    | st.uuids().map(str)
    | st.dates(date(1900, 1, 1)).map(str)
    | times.map(lambda time: time.isoformat())
    | times.map(lambda time: time.strftime("%Y-%m-%d %H:%M:%S"))
    | st.ip_addresses().map(str)
    | st.binary(min_size=16, max_size=32).map(bytes.hex)
    | st.decimals(0, 10**7, places=2).map(str)
)
things = st.sampled_from(["code", "id", "couponCode", "startTime", "data", "campaign", "value"])


@given(st.dictionaries(things | harmless, harmless | st.lists(harmless), max_size=5))
def test_codes_dates_and_ids_stay(value: dict[str, Any]) -> None:
    assert mask_personal(value) == value


@given(
    st.lists(st.tuples(ODD_TEXT.filter(bool), st.integers(1, 5_000)), min_size=1, max_size=4),
    st.sampled_from(["note", "phone", "name"]),
)
def test_long_and_odd_texts_come_back(parts: list[tuple[str, int]], key: str) -> None:
    text = "".join(part * times for part, times in parts)[:1_000_000]
    masked = mask_personal({key: text, text: 1})

    assert mask_personal(masked) == masked
