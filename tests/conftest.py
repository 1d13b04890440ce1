"""What several tests start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from random import Random
from typing import Any

import hypothesis
import pytest

from talonone_mcp.core import catalog as catalogs
from talonone_mcp.core.catalog import Catalog
from talonone_mcp.core.settings import Settings, load_settings
from talonone_mcp.sandbox import app
from talonone_mcp.sandbox.app import Sandbox
from talonone_mcp.sandbox.demo import fill
from talonone_mcp.sandbox.documents.document_store import DocumentStore
from tests.slow import pytest_collection_modifyitems  # noqa: F401  # a hook: it marks slow tests
from tests.upstream import Upstream, serve
from tests.wired import Wire, faulty_wire

# How long an example takes says something of the machine, not of what is tested.
hypothesis.settings.register_profile("without deadlines", deadline=None)
hypothesis.settings.load_profile("without deadlines")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests away from the approvals, the audit log and the configuration of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("configuration")))
        yield


@pytest.fixture(scope="session", autouse=True)
def accounts_made_once() -> Iterator[None]:
    """Fill each demo account once and copy it from then on: hundreds of tests start from one."""
    made: dict[tuple[object, ...], tuple[bytes, object]] = {}

    def quick_fill(store: DocumentStore, now: datetime, random: Random, scale: int = 1) -> None:
        if store.path:
            fill(store, now, random, scale)
            return
        # An account of some minutes ago is as good as one of now, where time does not stand still.
        about = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
        key = (about, random.getstate(), scale)
        if key not in made:
            fill(store, now, random, scale)
            made[key] = (store.snapshot(), random.getstate())
        else:
            image, state = made[key]
            store.restore(image)
            random.setstate(state)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "fill", quick_fill)
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
def wire(catalog: Catalog) -> Iterator[Wire]:
    """A client on an upstream that misbehaves."""
    with faulty_wire(catalog) as running:
        yield running


@pytest.fixture
def settings(upstream: Upstream) -> Settings:
    return settings_for(upstream)


def settings_for(upstream: Upstream, **flags: Any) -> Settings:
    return load_settings(flags, upstream.environment)
