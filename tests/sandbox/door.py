"""The sandbox's own HTTP door, where every answer is compared with its documented schema."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import SANDBOX_KEY
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.http.routing import Router
from tests.contract.facts import load_facts

URL = "https://sandbox.invalid"
MANAGEMENT = {"Authorization": f"ManagementKey-v1 {SANDBOX_KEY}"}
SHOP = {"Authorization": f"ApiKey-v1 {SANDBOX_KEY}"}
SHOP_US = {"Authorization": f"ApiKey-v1 {SANDBOX_KEY}-43"}
PLATFORM = SHOP | {
    "customer-engagement-platform-name": "pendula",
    "destination-hostname": "sandbox.invalid",
}
CAPILLARY = {"Authorization": f"Bearer {SANDBOX_KEY}"}
KEYS = {
    "management": MANAGEMENT,
    "integration": SHOP,
    "third_party": PLATFORM,
    "capillary": CAPILLARY,
}


@dataclass(slots=True)
class Time:
    """The time that it is in the account, which moves when a test says so."""

    now: datetime = field(default_factory=lambda: datetime(2026, 6, 15, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def at(self, **delta: float) -> str:
        """Return the time that lies so far from now, as a request gives it."""
        return (self.now + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Door:
    """Clients of one sandbox, one for each key. Every answer that they get is documented."""

    def __init__(self, sandbox: Sandbox, time: Time) -> None:
        self.time = time
        self._transport = httpx.ASGITransport(sandbox, raise_app_exceptions=True)

    def client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        """Return a client with these headers."""
        return httpx.AsyncClient(
            transport=self._transport,
            base_url=URL,
            headers=headers,
            event_hooks={"response": [_check]},
        )


@contextmanager
def door(catalog: Catalog, **options: Any) -> Iterator[Door]:
    """Open a sandbox without a limit of requests, at a time that stands still."""
    time = Time()
    with closing(Sandbox(catalog, limited=False, now=time, **options)) as sandbox:
        yield Door(sandbox, time)


@asynccontextmanager
async def client_of(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """Use one sandbox with the Management key, and close it."""
    with closing(sandbox):
        async with Door(sandbox, Time()).client(MANAGEMENT) as client:
            yield client


async def _check(response: httpx.Response) -> None:
    await response.aread()
    conforms(response)


def conforms(response: httpx.Response) -> None:
    """Compare an answer with the documented ones of its operation, and a refusal with their form.

    Raises:
        AssertionError: the status is not documented.
        jsonschema.ValidationError: the body is not as documented.
    """
    request = response.request
    assert response.status_code != 500, response.text
    if response.is_error:
        assert {"StatusCode", "code"} & {*response.json(), *response.json().get("errors", [{}])[0]}
        return
    operation, _ = _router().find(request.method, request.url.raw_path.decode().partition("?")[0])
    documented = _facts()[operation.name]["responses"]
    status = str(response.status_code)
    assert status in documented, f"{operation.name} answered {status}"
    schema = documented[status].get("schema")
    if schema and schema.get("format") != "csv" and response.status_code != 204:
        _validator(operation.name, status).validate(response.json())


@cache
def _router() -> Router:
    return Router(catalogs.load())


@cache
def _facts() -> dict[str, Any]:
    return {fact["tool"]: fact for fact in load_facts()}


@cache
def _validator(name: str, status: str) -> Draft202012Validator:
    schema = _loose(_facts()[name]["responses"][status]["schema"])
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _loose(schema: Any) -> Any:
    """Let a value be several of alternatives, which upstream's own examples are.

    An acceptCoupon's properties are an acceptReferral's too, and both are among the `oneOf` of an
    effect's.
    """
    if isinstance(schema, list):
        return [_loose(item) for item in schema]
    if isinstance(schema, dict):
        return {"anyOf" if key == "oneOf" else key: _loose(each) for key, each in schema.items()}
    return schema
