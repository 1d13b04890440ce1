"""Imports point one way, from the faces down to the ground."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "server" / "talonone_mcp"
LAYERS = [
    {"__main__", "cli", "demo", "app", "calls", "elicitation", "http"},
    {"surface", "prompts"},
    {"executor", "gate", "request", "shape"},
    {"client"},
    {"catalog", "settings", "text"},
]
MODULES = sorted(PACKAGE.rglob("*.py"))


def top(module: str) -> str:
    """Return the module, or the subpackage, of a dotted name below the package."""
    return module.removeprefix("talonone_mcp").strip(".").partition(".")[0]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("talonone_mcp"):
            parts = [node.module or ""]
            if node.module == "talonone_mcp":
                parts = [f"talonone_mcp.{alias.name}" for alias in node.names]
            names |= {top(part) for part in parts}
    return names - {"", "__version__"}


def layer(name: str) -> int:
    [index] = [index for index, names in enumerate(LAYERS) if name in names]
    return index


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own == "sandbox":
        assert imported(path) <= {"sandbox", "catalog", "settings"}
        return
    if own == "__init__":
        assert imported(path) == set()
        return
    others = imported(path) - {own}
    if "sandbox" in others:
        assert own == "calls"
        others.remove("sandbox")
    assert all(layer(other) >= layer(own) for other in others)
