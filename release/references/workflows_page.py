"""`docs/workflows.md`: the table of workflows."""

from __future__ import annotations

from collections.abc import Iterator

from release.references.markdown import code, table
from release.references.risk import risk
from talonone_mcp.core.catalog import Catalog


def workflows(known: Catalog) -> Iterator[str]:
    """Yield what each workflow does, and how dangerous it is."""
    yield from table(
        ("workflow", "what it does", "risk"),
        ((code(each.name), each.description, risk(each)) for each in known.workflows.values()),
    )
