"""The catalog: every Talon.One operation and every workflow, as data.

`load` returns all of it. An installed package ships the compiled form (`catalog.json`, written by
`hatch_build.py`) and parses no YAML. A checkout compiles `tools/*.yaml` at every start, so edits
take effect at the next one.
"""

import json
from functools import cache
from pathlib import Path

from talonone_mcp.core.catalog.columns import ColumnKind, Columns
from talonone_mcp.core.catalog.impact_rules import Before, ImpactRule
from talonone_mcp.core.catalog.model import (
    Catalog,
    CatalogError,
    Operation,
    Profile,
    Tool,
    Toolset,
    Workflow,
)

__all__ = [
    "Before",
    "Catalog",
    "CatalogError",
    "ColumnKind",
    "Columns",
    "ImpactRule",
    "Operation",
    "Profile",
    "Tool",
    "Toolset",
    "Workflow",
    "load",
]

_COMPILED = Path(__file__).parents[2] / "catalog.json"
_CHECKOUT = Path(__file__).parents[4] / "tools"


@cache
def load() -> Catalog:
    """Return the catalog of this installation, read once per process.

    Raises:
        CatalogError: an entry in `tools/` contradicts itself; the message names it.
    """
    if _COMPILED.is_file():
        return Catalog.from_compiled(json.loads(_COMPILED.read_bytes()))
    from talonone_mcp.core.catalog.compiler import compile_catalog  # noqa: PLC0415 - needs YAML

    return Catalog.from_compiled(compile_catalog(_CHECKOUT))
