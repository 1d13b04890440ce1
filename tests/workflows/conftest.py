"""What tests of workflows start from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from talonone_mcp.core.catalog import Catalog
from tests.desk import Desk, open_desk


@pytest.fixture
async def desk(catalog: Catalog) -> AsyncIterator[Desk]:
    async with open_desk(catalog) as opened:
        yield opened
