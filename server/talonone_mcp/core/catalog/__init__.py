"""The catalog: every Talon.One operation, and every workflow, as data.

`load` gives the whole of it. An installed package carries it compiled (`catalog.json`, written
by `hatch_build.py`) and parses no YAML; a checkout compiles `tools/*.yaml` on the spot, so that
an edited entry counts at the next start.
"""

import json
from functools import cache
from pathlib import Path

from talonone_mcp.core.catalog.model import (
    Catalog,
    CatalogError,
    Columns,
    Confirm,
    Operation,
    Profile,
    Tool,
    Toolset,
    Workflow,
)

__all__ = [
    "Catalog",
    "CatalogError",
    "Columns",
    "Confirm",
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
    """Return the catalog of this installation, read once a process.

    Raises:
        CatalogError: an entry in `tools/` contradicts itself; the message names it.
    """
    if _COMPILED.is_file():
        return Catalog.from_compiled(json.loads(_COMPILED.read_bytes()))
    from talonone_mcp.core.catalog.compiler import compile_catalog  # noqa: PLC0415 - needs YAML

    return Catalog.from_compiled(compile_catalog(_CHECKOUT))
