"""What tests of workflows start from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from talonone_mcp.core.catalog import Catalog
from talonone_mcp.upstream import limiter
from tests.desk import Desk, open_desk


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests leave as they come: their pace is tested elsewhere."""
    monkeypatch.setattr(limiter, "REQUESTS", 1_000_000)


@pytest.fixture
async def desk(catalog: Catalog) -> AsyncIterator[Desk]:
    async with open_desk(catalog) as opened:
        yield opened
