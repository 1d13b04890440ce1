"""What several tests start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from talonone_mcp import catalog as catalogs
from talonone_mcp.catalog import Catalog
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.settings import Settings, load_settings
from tests.upstream import Upstream, serve


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return catalogs.load()


@pytest.fixture
def upstream(catalog: Catalog) -> Iterator[Upstream]:
    """The sandbox on a socket, without its limit of requests."""
    with closing(Sandbox(catalog, limited=False)) as app, serve(app) as running:
        yield running


@pytest.fixture
def settings(upstream: Upstream) -> Settings:
    return settings_for(upstream)


def settings_for(upstream: Upstream, **flags: Any) -> Settings:
    return load_settings(flags, upstream.environment)
