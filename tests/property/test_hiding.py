"""However deep a secret lies in an answer, it is hidden, and what is no secret stays."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from talonone_mcp.core.hiding import hide

SECRET = "q7Rz0pLkW3vN8xT2"
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ODD_TEXT = st.text("token\"':={}[]\\/@?&;<> \nBearer1", max_size=60)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
SECRET_KEYS = st.sampled_from(
    ["inviteToken", "access_token", "API-Key", "password", "clientSecret", "Authorization",
     "Set-Cookie", "credentials", "PRIVATE_KEY", "resetToken", "passwordHash", "x-auth-token"]
)  # fmt: skip
PLAIN_KEYS = st.sampled_from(
    ["couponCode", "maxTokens", "tokensUsed", "integrationId", "cardIdentifier", "key", "data",
     "Idempotency-Key", "nextPageToken", "authMethod", "attributes", "name", "code", "value"]
)  # fmt: skip
CODES = st.from_regex(r"[A-Z0-9]{4,12}(-[A-Z0-9]{2,12}){0,3}", fullmatch=True)


def as_it_is(value: Any) -> Any:
    return value


def as_json(value: Any) -> str:
    return json.dumps(value)


def as_base64(value: Any) -> str:
    text = json.dumps(value)
    return b64encode((text + " " * (-len(text) % 3)).encode()).decode()


def with_secret() -> st.SearchStrategy[Any]:
    """Documents that hold the secret once, in a form that tells it."""
    forms = st.one_of(
        SECRET_KEYS.map(lambda key: {key: SECRET}),
        SECRET_KEYS.map(lambda key: {"name": key, "value": SECRET}),
        SECRET_KEYS.map(lambda key: {key: [{"x": {"y": SECRET}}]}),
        SECRET_KEYS.map(lambda key: f"/v1/x?a=1&{key}={SECRET}&b=2"),
        SECRET_KEYS.map(lambda key: json.dumps({"a": 1, key: SECRET, "b": [2]})[:-4]),
        SECRET_KEYS.map(lambda key: json.dumps(json.dumps({key: SECRET}))[:-1]),
        st.just({"headers": [f"X-Whatever: {SECRET}"]}),
        st.just({"webhook": {"headers": {"X-Whatever": SECRET}}}),
        st.just({"headers": [json.dumps({"X-Whatever": SECRET})]}),
        st.just(f"https://robot:{SECRET}@example.com/path"),
        st.just(f"curl -H 'Authorization: Bearer {SECRET}' https://example.com"),
    )
    return st.recursive(
        forms,
        lambda inner: st.one_of(
            st.tuples(PLAIN_KEYS, inner, ANY_TEXT).map(lambda p: {p[0]: p[1], "other": p[2]}),
            st.tuples(inner, ANY_TEXT).map(list),
            st.tuples(inner, st.sampled_from([as_it_is, as_json, as_base64])).map(
                lambda pair: {"payload": pair[1](pair[0])}
            ),
        ),
        max_leaves=1,
    )


def opened(value: Any) -> str:
    """Return everything that a reader finds in a document, decoded where they would."""
    if isinstance(value, dict):
        return " ".join(f"{key} {opened(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(map(opened, value))
    if not isinstance(value, str) or len(value) < len(SECRET):
        return str(value)
    try:
        return value + opened(b64decode(value, validate=True).decode())
    except ValueError:
        pass
    try:
        inside = json.loads(value)
    except ValueError:
        return value
    return value + opened(inside) if isinstance(inside, (dict, list, str)) else value


@given(with_secret())
def test_a_secret_is_hidden_wherever_it_lies(document: Any) -> None:
    assert SECRET in opened(document)
    assert SECRET not in opened(hide(document))


DOCUMENTS = st.recursive(
    PLAIN | CODES | st.uuids().map(str) | st.datetimes().map(lambda at: at.isoformat()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN_KEYS, inner, max_size=5),
    max_leaves=15,
)


@given(DOCUMENTS)
def test_what_is_no_secret_stays(document: Any) -> None:
    assert hide(document) == document


@given(
    st.recursive(
        PLAIN | ANY_TEXT | ODD_TEXT,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(SECRET_KEYS | PLAIN_KEYS | ODD_TEXT, inner, max_size=4)
        ),
        max_leaves=15,
    )
)
def test_hiding_twice_is_hiding_once(document: Any) -> None:
    hidden = hide(document)

    assert hide(hidden) == hidden
