"""What several tests start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import hypothesis
import pytest

from talonone_mcp import catalog as catalogs
from talonone_mcp.catalog import Catalog
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.settings import Settings, load_settings
from tests.upstream import Upstream, serve

# How long an example takes says something of the machine, not of what is tested.
hypothesis.settings.register_profile("without deadlines", deadline=None)
hypothesis.settings.load_profile("without deadlines")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep approvals and audit logs of tests away from those of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


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
