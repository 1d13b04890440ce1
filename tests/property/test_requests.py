"""Whatever a model puts into an argument arrives upstream as just that, or is refused here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from talonone_mcp.calls.admission import Admission
from talonone_mcp.calls.caller import Caller
from talonone_mcp.calls.executor import Executor
from talonone_mcp.calls.gate import Gate
from talonone_mcp.calls.imports import ImportFiles
from talonone_mcp.calls.judging import Judge
from talonone_mcp.calls.recorder import Recorder
from talonone_mcp.calls.request import build
from talonone_mcp.calls.spending_limits import SpendingLimits
from talonone_mcp.core.catalog import Catalog, Operation, load
from talonone_mcp.core.catalog.validation import problems
from talonone_mcp.core.errors import CallError
from talonone_mcp.store.local_store import local_store
from talonone_mcp.upstream.connection import open_upstream
from tests.clocks import Leaping
from tests.conftest import settings_for
from tests.upstream import Recorded, Upstream, serve

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)
AWKWARD = st.sampled_from(
    ["", ".", "..", "...", "a/b", "../x", "%2e%2e", "%", "50%OFF", "a?b=c", "a#b", "a b", "a+b",
     "{campaignId}", "\n", "\x00", "é", "日本", "//", "\\", ";", "a&b=c", "\ud800"]
)  # fmt: skip
TEXT = ANY_TEXT | AWKWARD
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
Sending = Callable[[str, dict[str, Any]], Recorded | None]
fixtures_are_fine = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


async def accept(scope: Any, receive: Any, send: Any) -> None:
    await JSONResponse({"data": []})(scope, receive, send)


@pytest.fixture(scope="module")
def recorder() -> Iterator[Upstream]:
    with serve(accept) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as running:
        yield running


@pytest.fixture
def sending(catalog: Catalog, recorder: Upstream, portal: BlockingPortal) -> Iterator[Sending]:
    """Calls an operation and returns the request that arrived, or None when it was refused."""
    login = catalog.operations["create_session"]
    # Thousands of calls to one endpoint: each waits for its turn, which costs nothing.
    opened = open_upstream(settings_for(recorder), login, clock=Leaping().clock)
    with portal.wrap_async_context_manager(opened) as upstream:
        state = Path(recorder.state_dir)
        store = local_store(settings_for(recorder))

        async def read(operation: Operation, arguments: Mapping[str, Any]) -> Any:
            return (await upstream.send(operation, build(operation, arguments))).body

        executor = Executor(
            catalog,
            upstream,
            Admission(
                catalog,
                Judge(catalog, read, Leaping().clock),
                Gate("off", store.ledger),
                SpendingLimits(catalog.policy, store.sums),
                upstream.place,
            ),
            Recorder(store.audit, reads=False),
            store,
            import_files=ImportFiles(None, state),
        )
        caller = Caller("local", "test 1")

        def send(tool: str, arguments: dict[str, Any]) -> Recorded | None:
            recorder.requests.clear()
            try:
                portal.call(executor.call, catalog.operations[tool], arguments, caller)
            except CallError as error:
                assert error.kind == "invalid_arguments"
                json.dumps(error.as_dict(), ensure_ascii=False).encode()
                read = bool(catalog.operations[tool].replaces)  # then, the whole was not right
                assert [each.method for each in recorder.requests] in ([], ["GET"] * read)
                return None
            *_, request = recorder.requests
            return request

        yield send


def is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


@fixtures_are_fine
@given(code=TEXT)
def test_a_path_argument_is_one_segment(sending: Sending, code: str) -> None:
    request = sending("list_coupon_reservations", {"couponValue": code})

    if request is None:
        assert code in ("", ".", "..") or not is_unicode(code)
    else:
        *rest, segment = request.path.split("/")
        assert "/".join(rest) == "/v1/coupon_reservations/customerprofiles"
        assert unquote(segment, errors="strict") == code
        assert request.query == []


@fixtures_are_fine
@given(value=TEXT, tag=TEXT)
def test_query_arguments_stay_apart(sending: Sending, value: str, tag: str) -> None:
    request = sending("list_campaigns", {"applicationId": 1, "name": value, "tags": tag})

    if request is None:
        assert not (is_unicode(value) and is_unicode(tag))
    else:
        assert sorted(request.query) == [("name", value), ("tags", tag)]


@fixtures_are_fine
@given(attributes=st.dictionaries(TEXT, JSON, max_size=4))
def test_a_body_arrives_as_it_is(sending: Sending, attributes: dict[str, Any]) -> None:
    request = sending("search_coupons", {"applicationId": 1, "attributes": attributes})

    if request is not None:
        assert json.loads(request.body) == attributes


@fixtures_are_fine
@given(number=st.integers(-(2**53), 2**53))
def test_a_whole_number_is_written_without_a_fraction(sending: Sending, number: int) -> None:
    request = sending("get_application", {"applicationId": float(number)})

    assert request is not None
    assert request.path == f"/v1/applications/{number}"


OPERATIONS = list(load())
NAMES = sorted({name for each in OPERATIONS for name in each.input_schema["properties"]})


@given(
    operation=st.sampled_from(OPERATIONS),
    arguments=st.dictionaries(st.sampled_from(NAMES) | TEXT, JSON, max_size=6),
)
def test_any_arguments_are_judged_and_never_crash(
    operation: Operation, arguments: dict[str, Any]
) -> None:
    found = problems(operation, arguments)

    for problem in found:
        f"{problem.at} {problem.problem}".encode()
    schema = operation.sent_schema
    missing = set(schema.get("required", [])) - set(arguments)
    unknown = set(arguments) - set(schema["properties"])
    assert missing == {each.at for each in found if each.problem == "is required"} & set(NAMES)
    assert len([each for each in found if each.problem.startswith("is unknown")]) >= len(unknown)
