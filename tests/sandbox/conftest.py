"""A fresh sandbox for each test, and a client for each key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from talonone_mcp.core.catalog import Catalog
from tests.sandbox import door as doors
from tests.sandbox.door import CAPILLARY, MANAGEMENT, PLATFORM, SHOP, SHOP_US, Door, Time


@pytest.fixture
def door(catalog: Catalog) -> Iterator[Door]:
    with doors.door(catalog) as opened:
        yield opened


@pytest.fixture
def time(door: Door) -> Time:
    """The time in the account: `time.advance(days=1)`."""
    return door.time


@pytest.fixture
async def http(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """The Management API."""
    async with door.client(MANAGEMENT) as client:
        yield client


@pytest.fixture
async def shop(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """The Integration API, as Application 42."""
    async with door.client(SHOP) as client:
        yield client


@pytest.fixture
async def shop_us(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """The Integration API, as Application 43."""
    async with door.client(SHOP_US) as client:
        yield client


@pytest.fixture
async def platform(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """The Third-party API, as a customer engagement platform."""
    async with door.client(PLATFORM) as client:
        yield client


@pytest.fixture
async def capillary(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """Capillary's API."""
    async with door.client(CAPILLARY) as client:
        yield client
